"""How a trigger becomes ours: by its first row, or from a dead worker; a living one's is waited for."""

from dataclasses import dataclass
from datetime import datetime

import structlog

from ajo_worker.closing import Closing
from ajo_worker.dispatch import rows
from ajo_worker.dispatch.budget import Budget
from ajo_worker.dispatch.decision import End, History, Retry
from ajo_worker.dispatch.preparation import Preparation, Prepared, Ready
from ajo_worker.dispatch.received import Received, Refusal, content_digest
from ajo_worker.dispatch.round import Policy, Round
from ajo_worker.ledger.admission import Done, Known, TakeOver, Wait, on_copy
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.ledger.ledger import Ledger
from ajo_worker.ledger.ownership import Takeover
from ajo_worker.recipients import is_other_content

log = structlog.get_logger("ajo_worker.dispatch")


@dataclass(frozen=True, slots=True)
class Claim:
    """The trigger is ours. ``prepared`` is its announced first attempt or why it comes too late; None if taken over."""

    round: Round
    prepared: Prepared | Refusal | None


@dataclass(frozen=True, slots=True)
class Claims:
    """Claims triggers in the ledger."""

    ledger: Ledger
    clock: LedgerClock
    preparation: Preparation
    closing: Closing
    policy: Policy

    async def claim(self, received: Received, refused: Refusal | None) -> Claim | Done | End:
        """Make the trigger ours, or learn that it has its state. A refused one gets its end with its first row."""
        if received.resumed:
            return await self._resumed(received)
        if refused is None:
            ready = await self.preparation.first_attempt(received)
            if isinstance(ready, Known):
                return await self._copy(received, ready)
            if isinstance(ready, Ready):
                return await self._first(received, ready)
            refused = ready
        known = await self.ledger.admissions.submit(
            rows.admission(received, refused, self.clock.monotonic(), self.clock, self.ledger.worker_id, self.policy)
        )
        if known is None:
            return End("rejected" if refused.state == "sending" else refused.state, refused.reason)
        return await self._copy(received, known)

    async def _resumed(self, received: Received) -> Claim | Done:
        """Its round was opened for us; if something has happened in it since, this is a copy like any other."""
        known = await self.ledger.looks.submit(received.trigger.request_id)
        if known is None:
            return Done("forgotten")
        if known.state == "sending" and known.owner == self.ledger.worker_id and not known.attempts_started:
            history = History(0, known.ambiguous_attempts, known.ambiguous_before, known.interrupted_attempts)
            return Claim(Round(known.round, known.fence, history, None, None, self.clock.monotonic()), None)
        return await self._copy(received, known)

    async def _first(self, received: Received, ready: Ready) -> Claim | Done:
        intended = self.clock.monotonic()
        try:
            known = await self.ledger.admissions.submit(
                rows.admission(received, None, intended, self.clock, self.ledger.worker_id, self.policy)
            )
            if known is None:
                if not self.ledger.liveness.may_send(intended):
                    await self.preparation.announce(received, 1, 1, intended, None)
                ours, now = Round(1, 1, History(), None, None, intended), self.clock.monotonic()
                expires_at = received.trigger.expires_at
                if expires_at is None or self.clock.monotonic_at(expires_at) > now:
                    return Claim(ours, Prepared(1, ready, intended, 0.0, now - intended))
                self.preparation.slots.release(ready.place)  # the commit took too long
                return Claim(ours, Refusal("expired", "expires-at"))
        except BaseException:
            self.preparation.slots.release(ready.place)
            raise
        self.preparation.slots.release(ready.place)
        return await self._copy(received, known)

    async def compare(self, received: Received, first: Received | Known) -> None:
        """Put a copy on record that has other recipients or other content than the first: it is never sent."""
        if received.resumed:
            return  # made of the payload that is held, and no copy
        key = self.policy.hash_key
        digest = content_digest(received, key)
        if is_other_content(first.content_digest if isinstance(first, Known) else content_digest(first, key), digest):
            log.warning("copy-differs", request_id=str(received.trigger.request_id), campaign=received.trigger.campaign)
            await self.ledger.quarantine.submit(rows.differing_copy(received, digest, self.ledger.worker_id, key))

    async def _copy(self, received: Received, known: Known) -> Claim | Done:
        request_id, stepped = received.trigger.request_id, 0
        await self.compare(received, known)
        while True:
            if known.clock_stepped:  # after a long wait for its owner that can't be told any more
                stepped = known.round
            match on_copy(known, self.ledger.worker_id):
                case Done() as done:
                    return done
                case Wait():
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
            if seen is None:  # its partition was dropped meanwhile: retention outlives every message
                return Done("forgotten")
            known = seen

    def _kept_back_since(self, received: Received, moment: datetime) -> bool:
        campaign = received.campaign
        return campaign is not None and self.preparation.gate.kept_back_since(campaign, moment)

    def _taken_over(self, received: Received, known: Known, *, interrupted: bool, untimed: bool) -> Claim:
        now = self.clock.monotonic()
        history = History(
            known.attempts_started,
            known.ambiguous_attempts + interrupted,
            known.ambiguous_before,
            known.interrupted_attempts + interrupted,
        )
        if known.first_dispatched_at is None:  # a round that was opened, and nothing sent in it
            return Claim(Round(known.round, known.fence + 1, history, None, None, now), None)
        expires_at = received.trigger.expires_at
        seconds = received.campaign.budget if received.campaign else 0.0
        started = self.clock.monotonic_at(known.first_dispatched_at)
        budget = Budget(started, seconds, self.clock.monotonic_at(expires_at) if expires_at else None)
        wait = max(self.clock.monotonic_at(known.not_before) - now, 0.0) if known.not_before else 0.0
        ours = Round(known.round, known.fence + 1, history, budget, Retry(wait), now)
        if history.in_doubt and received.campaign and received.campaign.holds_ambiguous:
            return Claim(ours, Refusal("expired", history.duplicate_cause or "budget-spent"))
        if untimed:
            return Claim(ours, Refusal("expired", "clock-step"))
        if now + wait <= self.preparation.latest_start(received, budget, history):
            return Claim(ours, None)
        if self._kept_back_since(received, known.first_dispatched_at):
            return Claim(ours, Refusal("parked", "outage"))  # its copy waited in the broker while the outage lasted
        return Claim(ours, Refusal("expired", "retry-after-beyond-budget" if wait else budget.end_reason))
