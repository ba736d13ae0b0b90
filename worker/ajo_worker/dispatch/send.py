"""The call of an announced attempt, and what follows from it: send → judge → decide → record."""

from dataclasses import dataclass, replace
from logging import DEBUG

import structlog

from ajo_worker.api.answer import HttpAdapter
from ajo_worker.api.classify import SentCall, classify
from ajo_worker.api.request import body_of, call_of
from ajo_worker.api.verdict import Verdict
from ajo_worker.dispatch.attempt import Announced, Policy, Round, Sent
from ajo_worker.dispatch.budget import budget_of
from ajo_worker.dispatch.decision import End, History, Retry, Retrying, Situation, decide
from ajo_worker.dispatch.means import Means
from ajo_worker.dispatch.rows import Rows, wide_event
from ajo_worker.dispatch.stray_answers import Strays
from ajo_worker.ledger.attempts import AttemptRow, Record
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.ledger.ledger import Ledger

DOUBTFUL_TOKEN = frozenset({401, 403})
"""Statuses that tell nothing good of the token."""

log = structlog.get_logger("ajo_worker.dispatch")


@dataclass(frozen=True, slots=True)
class Calls:
    """The steps of one attempt from its call on."""

    ledger: Ledger
    clock: LedgerClock
    http: HttpAdapter
    means: Means
    policy: Policy
    rows: Rows
    strays: Strays
    retrying: Retrying

    async def sent(self, announced: Announced) -> Sent:
        """send: the one HTTP call of an attempt."""
        attempt, means = announced.attempt, self.means
        received, campaign = attempt.received, attempt.campaign
        dispatched = self.clock.monotonic()
        budget = announced.round.budget or budget_of(received, dispatched, self.clock)
        # Its intent may have taken longer to commit than its token lived, or a new one came since.
        token = means.tokens.current() or attempt.token
        token_until = means.tokens.sure_until(token)
        body = body_of(campaign.definition, received.trigger)
        means.gate.sends(received, dispatched)
        silence, answered = means.silence, False
        means.slots.sent(attempt.place)
        silence.began(received)
        try:
            # What a probe is for is to wait for the answer, however impatient the operator is otherwise.
            timeout = budget.answer_time(dispatched, None if received.probe else campaign.attempt_timeout)
            means.standing.changes(received.came_by, "headers", 1)
            result = await self.http.post(call_of(campaign.endpoint, body, token), timeout=timeout)
            answered = result.status is not None
        finally:
            means.standing.changes(received.came_by, "headers", -1)
            silence.ended(received, answered=answered)
        return Sent(announced, budget, body, dispatched, result, token, token_until)

    async def judged(self, sent: Sent) -> Verdict:
        """judge: what the answer shows, of this trigger, of its token and of its destination."""
        received, tokens = sent.announced.attempt.received, self.means.tokens
        asked = SentCall(received.trigger.request_id, sent.body, sent.announced.round.repeats)
        seen = classify(sent.result, ambiguous_statuses=self.policy.ambiguous_statuses, asked=asked)
        verdict = seen if seen.answered_request_id is None else await self.strays.judged(received, seen)
        if verdict.outcome == "unauthorized":
            if self._history(sent, verdict).token_refused:  # not the token: every call of the campaign meets it
                verdict = replace(verdict, blame="campaign")
            else:
                tokens.refused(sent.token, received.trigger.campaign)
        elif verdict.http_status not in DOUBTFUL_TOKEN and verdict.outcome in {"accepted", "refused"}:
            tokens.worked(sent.token, received.trigger.campaign, sent.dispatched)
        self.means.gate.saw(received, verdict, sent.dispatched)
        return verdict

    def _history(self, sent: Sent, verdict: Verdict) -> History:
        token_lived = self.clock.monotonic() < sent.token_until
        return sent.announced.round.history.after(verdict, token_lived=token_lived)

    def decided(self, sent: Sent, verdict: Verdict) -> tuple[Round, End | Retry]:
        """decide: an end, or another attempt."""
        before, campaign = sent.announced.round, sent.announced.attempt.campaign
        gate, now = self.means.gate, self.clock.monotonic()
        history = self._history(sent, verdict)
        situation = Situation(
            history,
            sent.budget,
            now,
            gate.kept_back(campaign),
            campaign.holds_ambiguous,
            sent.announced.attempt.received.probe,
            lambda: gate.answers_take(campaign),
        )
        step = decide(verdict, situation, self.retrying)
        rejected = sent.token if isinstance(step, Retry) and step.fresh_token else None
        decided = self.clock.monotonic()
        return Round(before.number, before.fence, history, sent.budget, step, decided, rejected), step

    async def recorded(self, sent: Sent, verdict: Verdict) -> None:
        """record: the attempt that another one follows."""
        await self.ledger.records.submit(Record(self._attempt(sent, verdict, None), None))

    def ended(self, sent: Sent, verdict: Verdict, current: Round, end: End) -> Record:
        """What is to be recorded: the attempt, and the end that it brought."""
        attempt = self._attempt(sent, verdict, end)
        return Record(attempt, self.rows.ending(sent.announced.attempt.received, current, end, verdict.execution_id))

    def _attempt(self, sent: Sent, verdict: Verdict, end: End | None) -> AttemptRow:
        """Its row; what was accepted is told only where that is asked for."""
        row, received = self.rows.attempt(sent, verdict), sent.announced.attempt.received
        if verdict.outcome != "accepted":
            log.info("attempt", **wide_event(received, row, end))
        elif log.is_enabled_for(DEBUG):
            log.debug("attempt", **wide_event(received, row, end))
        return row
