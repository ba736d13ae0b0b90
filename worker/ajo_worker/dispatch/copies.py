"""Copies of triggers that the ledger knows: a living worker's is waited for, a dead one's is taken over.

So are parked triggers whose next round was opened for this worker: they are known, too.
"""

from dataclasses import dataclass
from datetime import datetime

import structlog
from msgspec import Struct

from ajo_worker.closing import Closing
from ajo_worker.dispatch.attempt import Policy, Round
from ajo_worker.dispatch.budget import budget_of
from ajo_worker.dispatch.decision import History, Retry
from ajo_worker.dispatch.lost import gone
from ajo_worker.dispatch.means import Means
from ajo_worker.dispatch.rows import Rows
from ajo_worker.ledger.admission import Known, Settled, TakeOver, Wait, on_copy
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.ledger.ledger import Ledger
from ajo_worker.ledger.ownership import Takeover
from ajo_worker.recipients import is_other_content
from ajo_worker.triggers.received import Received, content_digest
from ajo_worker.triggers.refusal import Refusal

log = structlog.get_logger("ajo_worker.dispatch")


class Ours(Struct, frozen=True):
    """The trigger is ours; ``refused`` is why it must not be attempted all the same."""

    round: Round
    refused: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Copies:
    """Looks in the ledger for what became of triggers that it knows, and takes over what nobody has."""

    ledger: Ledger
    clock: LedgerClock
    means: Means
    closing: Closing
    policy: Policy
    rows: Rows

    async def resumed(self, received: Received) -> Ours | Settled:
        """Its round was opened for us; if something has happened in it since, this is a copy like any other.

        Raises:
            HandedBack: the worker is stopping.
            Lost: its row is gone.
        """
        known = await self.ledger.looks.submit(received.trigger.request_id)
        if known is None:
            raise gone(received, None)
        if known.state == "sending" and known.owner == self.ledger.worker_id and not known.attempts_started:
            history = History(0, known.ambiguous_attempts, known.ambiguous_before, known.interrupted_attempts)
            return Ours(Round(known.round, known.fence, history, None, None, self.clock.monotonic()))
        return await self.end_or_ours(received, known)

    async def compare(self, received: Received, first: Received | Known) -> None:
        """Put a copy on record that has other recipients or other content than the first: it is never sent."""
        if received.resumed:
            return  # made of the payload that is held, and no copy
        key = self.policy.hash_key
        digest = content_digest(received, key)
        if is_other_content(first.content_digest if isinstance(first, Known) else content_digest(first, key), digest):
            log.warning("copy-differs", request_id=str(received.trigger.request_id), campaign=received.trigger.campaign)
            await self.ledger.quarantine.submit(self.rows.differing_copy(received, digest))

    async def end_or_ours(self, received: Received, known: Known) -> Ours | Settled:
        """What to do with a copy of a trigger that the ledger knows: perhaps it becomes ours.

        Raises:
            HandedBack: the worker is stopping.
            Lost: its row is gone, while its owner's end was waited for.
        """
        request_id, stepped = received.trigger.request_id, 0
        await self.compare(received, known)
        while True:
            if known.clock_stepped:  # after a long wait for its owner that can't be told any more
                stepped = known.round
            match on_copy(known, self.ledger.worker_id):
                case Settled() as done:
                    return done
                case Wait():
                    await self.closing.sleep(self.policy.copy_poll)
                case TakeOver() if known.owner not in {None, self.ledger.worker_id} and not self.ledger.liveness.judges:
                    await self.closing.sleep(self.policy.copy_poll)
                case TakeOver(interrupted=interrupted):
                    worker, announced = self.ledger.worker_id, known.attempts_started
                    # One that is held and not repeated has the crash as its reason.
                    marked = interrupted and not (received.campaign and received.campaign.holds_ambiguous)
                    if await self.ledger.takeovers.submit(
                        Takeover(request_id, known.fence, worker, announced, interrupted, marked)
                    ):
                        untimed = stepped == known.round
                        return self._taken_over(received, known, interrupted=interrupted, untimed=untimed)
            seen = await self.ledger.looks.submit(request_id)
            if seen is None:
                raise gone(received, self._seen(known))
            known = seen

    def _seen(self, known: Known) -> Round:
        """Its round, as far as the ledger has told."""
        history = _history(known, interrupted=known.attempts_started > 0 and not known.last_attempt_recorded)
        return Round(known.round, known.fence, history, None, None, self.clock.monotonic())

    def _kept_back_since(self, received: Received, moment: datetime) -> bool:
        campaign = received.campaign
        return campaign is not None and self.means.gate.kept_back_since(campaign, moment)

    def _taken_over(self, received: Received, known: Known, *, interrupted: bool, untimed: bool) -> Ours:
        now = self.clock.monotonic()
        history = _history(known, interrupted=interrupted)
        if known.first_dispatched_at is None:  # a round that was opened, and nothing sent in it
            return Ours(Round(known.round, known.fence + 1, history, None, None, now))
        budget = budget_of(received, self.clock.monotonic_at(known.first_dispatched_at), self.clock)
        wait = max(self.clock.monotonic_at(known.not_before) - now, 0.0) if known.not_before else 0.0
        ours = Round(known.round, known.fence + 1, history, budget, Retry(wait), now)
        if history.in_doubt and received.campaign and received.campaign.holds_ambiguous:
            return Ours(ours, Refusal("expired", history.duplicate_cause or "budget-spent"))
        if untimed:
            return Ours(ours, Refusal("expired", "clock-step"))
        if now + wait <= self.means.latest_start(received, budget, history):
            return Ours(ours)
        if self._kept_back_since(received, known.first_dispatched_at):
            return Ours(ours, Refusal("parked", "outage"))  # its copy waited in the broker while the outage lasted
        return Ours(ours, Refusal("expired", "retry-after-beyond-budget" if wait else budget.end_reason))


def _history(known: Known, *, interrupted: bool) -> History:
    return History(
        known.attempts_started,
        known.ambiguous_attempts + interrupted,
        known.ambiguous_before,
        known.interrupted_attempts + interrupted,
    )
