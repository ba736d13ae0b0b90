"""Keeps what is told of accepted calls, has it posted, and exports it."""

from collections import deque

from ajo_simulator.feedback.message import Acceptance, Report
from ajo_simulator.feedback.rules import FeedbackRules
from ajo_simulator.feedback.timeline import reports_of
from ajo_simulator.feedback.webhook import Webhook

MOST_KEPT = 200_000


class Reports:
    """The newest events, with the ids and addresses of their recipients: in memory alone."""

    def __init__(self, most_kept: int = MOST_KEPT) -> None:
        self._kept: deque[Report] = deque(maxlen=most_kept)
        self._webhook = Webhook()
        self._scripted = 0

    def accept(self, rules: FeedbackRules, seed: int, acceptance: Acceptance) -> None:
        """Script all that will be told of an accepted call."""
        for report in reports_of(rules, seed, acceptance):
            self._kept.append(report)
            self._scripted += 1
            if rules.webhook is not None:
                self._webhook.schedule(report, rules, report.told_at - acceptance.accepted_at)

    def told(self, now: float | None = None) -> list[Report]:
        """What was told by ``now`` (seconds since 1970), or ever will be: in the order in which it is told."""
        known = [report for report in self._kept if now is None or report.told_at <= now]
        return sorted(known, key=lambda report: report.told_at)

    def summary(self) -> dict[str, int | str | None]:
        """Counts of events: scripted, forgotten since there were more than are kept, and what became of them."""
        webhook = self._webhook
        return {
            "scripted": self._scripted,
            "forgotten": self._scripted - len(self._kept),
            "waiting": webhook.waiting,
            "posted": webhook.posted,
            "failed": webhook.failed,
            "dropped": webhook.dropped,
            "last_error": webhook.last_error,
        }

    async def clear(self) -> None:
        """Forget everything, also what was still to be posted."""
        webhook, self._webhook = self._webhook, Webhook()
        self._kept.clear()
        self._scripted = 0
        await webhook.close()

    async def close(self) -> None:
        """Stop posting."""
        await self._webhook.close()
