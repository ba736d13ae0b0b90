"""The way of one trigger: claim → (prepare → send → classify → decide → record), until it has its state."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import random
from typing import Protocol

import structlog

from ajo_worker.api.answer import HttpAdapter
from ajo_worker.api.classify import Asked, classify
from ajo_worker.api.live_campaign import LiveCampaign
from ajo_worker.api.request import body_of, call_of
from ajo_worker.api.verdict import Verdict
from ajo_worker.closing import HandedBack
from ajo_worker.dispatch import rows
from ajo_worker.dispatch.budget import Budget
from ajo_worker.dispatch.claims import Claims
from ajo_worker.dispatch.decision import End, EndState, History, Retry, decide
from ajo_worker.dispatch.preparation import Preparation, Prepared
from ajo_worker.dispatch.received import UNKNOWN, Campaign, Received, Refusal, refusal
from ajo_worker.dispatch.round import Lost, Policy, Round, Sent
from ajo_worker.dispatch.strays import Strays
from ajo_worker.ledger.admission import Done
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.ledger.group_commit import WriterStopped
from ajo_worker.ledger.ledger import Ledger
from ajo_worker.ledger.ownership import Release
from ajo_worker.ledger.progress import Outcome

log = structlog.get_logger("ajo_worker.dispatch")

OnRetry = Callable[[Received, int, Verdict, float], None]
"""Told of each retry: the trigger, how many attempts it has had, what the last one showed, and the wait in seconds."""


class Statuses(Protocol):
    """What Journey Optimizer says of campaigns."""

    def known(self, campaign_id: str) -> LiveCampaign | None:
        """What is known of one now; None if nothing is."""


@dataclass(frozen=True, slots=True)
class Rounds:
    """Takes triggers to their state in the ledger; thousands at once, on one event loop."""

    ledger: Ledger
    clock: LedgerClock
    http: HttpAdapter
    claims: Claims
    preparation: Preparation
    policy: Policy
    statuses: Statuses
    strays: Strays

    async def conduct(self, received: Received, on_retry: OnRetry) -> End | Done:
        """Bring a trigger to its state in the ledger, or learn that it has one.

        Raises:
            HandedBack, WriterStopped: the worker stops, and the message must go back to the broker.
        """
        while True:
            live = self.statuses.known(received.campaign.definition.campaign_id) if received.campaign else None
            refused = refusal(received, self.clock.now(), self.policy.before_start, live)
            try:
                claim = await self.claims.claim(received, refused)
                if isinstance(claim, Done | End):
                    return claim
                if refused or received.campaign is None:
                    return await self._end_unsent(received, claim.round, refused or UNKNOWN)
                return await self._round(received, received.campaign, claim.round, claim.prepared, on_retry)
            except Lost:
                log.info("trigger-lost", request_id=str(received.trigger.request_id))

    async def _round(
        self,
        received: Received,
        campaign: Campaign,
        current: Round,
        prepared: Prepared | Refusal | None,
        on_retry: OnRetry,
    ) -> End:
        body = body_of(campaign.definition, received.trigger)
        while True:
            if prepared is None:
                prepared = await self._next_attempt(received, current)
            if isinstance(prepared, Refusal):
                return await self._end_unsent(received, current, prepared)

            sent = await self._send(received, campaign, current, prepared, body)
            asked = Asked(received.trigger.request_id, body, current.repeats)
            seen = classify(sent.result, ambiguous_statuses=self.policy.ambiguous_statuses, asked=asked)
            verdict = await self.strays.judged(received.trigger.request_id, seen)
            self.preparation.gate.saw(received, verdict, sent.dispatched)
            history = current.history.after(verdict, token_lived=self.clock.monotonic() < sent.token_until)
            budget = current.budget or self._budget(received, campaign, sent.dispatched)
            step = decide(
                verdict,
                history,
                budget=budget,
                now=self.clock.monotonic(),
                backoff=self.policy.backoff,
                jitter=random,
                attempt_minimum=self.policy.attempt_minimum,
                answers_take=lambda: self.preparation.gate.answers_take(campaign),
                holds_ambiguous=campaign.holds_ambiguous,
                kept_back=self.preparation.gate.kept_back(campaign),
            )
            current = replace(
                current,
                history=history,
                budget=budget,
                step=step,
                decided=self.clock.monotonic(),
                rejected_token=sent.token if isinstance(step, Retry) and step.fresh_token else None,
            )
            await self._record(received, current, prepared, sent, verdict)
            if isinstance(step, End):
                return step
            on_retry(received, history.attempts, verdict, step.wait)
            prepared = None

    async def _next_attempt(self, received: Received, current: Round) -> Prepared | Refusal:
        try:
            return await self.preparation.next_attempt(received, current)
        except (HandedBack, WriterStopped):
            release = Release(received.trigger.request_id, current.fence, current.history.attempts)
            await self.ledger.releases.submit(release)
            raise

    async def _send(
        self, received: Received, campaign: Campaign, current: Round, prepared: Prepared, body: bytes
    ) -> Sent:
        dispatched = self.clock.monotonic()
        budget = current.budget or self._budget(received, campaign, dispatched)
        # Its intent may have taken longer to commit than its token lived, or a new one came since.
        token = self.preparation.tokens.current() or prepared.ready.token
        token_until = self.preparation.tokens.sure_until(token)
        call = call_of(campaign.endpoint, body, token)
        self.preparation.gate.sends(received, dispatched)
        slots, place, silence, answered = self.preparation.slots, prepared.ready.place, self.preparation.silence, False
        try:
            slots.sent(place)
            silence.began(received)
            # What a probe is for is to wait for the answer, however impatient the operator is otherwise.
            timeout = budget.answer_time(dispatched, None if received.probe else campaign.attempt_timeout)
            with self.preparation.standing.at(received.came_by, "headers"):
                result = await self.http.post(call, timeout=timeout)
            answered = result.status is not None
            return Sent(dispatched, result, token, token_until)
        finally:
            slots.release(place)
            silence.ended(received, answered=answered)

    async def _record(
        self, received: Received, current: Round, prepared: Prepared, sent: Sent, verdict: Verdict
    ) -> None:
        attempt = rows.attempt_row(received, current, prepared, sent, verdict, self.clock, self.ledger.worker_id)
        end = current.step if isinstance(current.step, End) else None
        ending = rows.ending(received, current, end, self.clock, self.policy, verdict.execution_id) if end else None
        level = "debug" if verdict.outcome == "accepted" else "info"
        getattr(log, level)("attempt", **rows.wide_event(received, attempt, end))
        if not await self.ledger.outcomes.submit(Outcome(attempt, ending)) and ending:
            raise Lost

    async def _end_unsent(self, received: Received, current: Round, refused: Refusal) -> End:
        end = End(_state_of(refused, current.history), refused.reason, refused.resume_at)
        ending = rows.ending(received, current, end, self.clock, self.policy, None, in_vain=refused.in_vain)
        if not await self.ledger.outcomes.submit(Outcome(None, ending)):
            raise Lost
        return end

    def _budget(self, received: Received, campaign: Campaign, dispatched: float) -> Budget:
        expires_at = received.trigger.expires_at
        return Budget(dispatched, campaign.budget, self.clock.monotonic_at(expires_at) if expires_at else None)


def _state_of(refused: Refusal, history: History) -> EndState:
    match refused.state:
        case "parked":
            return history.kept_back()
        case "expired":
            return history.failed()
        case _:
            return history.refused()
