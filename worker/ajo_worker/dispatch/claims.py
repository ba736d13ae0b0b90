"""How a trigger becomes ours: by its first row, or from a dead worker; a living one's is waited for."""

from dataclasses import dataclass

from ajo_worker.dispatch import rows
from ajo_worker.dispatch.budget import Budget
from ajo_worker.dispatch.closing import Closing
from ajo_worker.dispatch.decision import End, History, Retry
from ajo_worker.dispatch.preparation import Preparation, Prepared, Ready
from ajo_worker.dispatch.received import Received, Refusal
from ajo_worker.dispatch.round import Policy, Round
from ajo_worker.ledger.admission import Done, Known, TakeOver, Wait, on_copy
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.ledger.ledger import Ledger
from ajo_worker.ledger.progress import Takeover


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
        if refused is None:
            ready = await self.preparation.first_attempt(received)
            if isinstance(ready, Ready):
                return await self._first(received, ready)
            refused = ready
        known = await self.ledger.admissions.submit(
            rows.admission(received, refused, self.clock.monotonic(), self.clock, self.ledger.worker_id, self.policy)
        )
        if known is None:
            return End("expired" if refused.state == "expired" else "rejected", refused.reason)
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
                self.preparation.slots.release()  # the commit took too long
                return Claim(ours, Refusal("expired", "expires-at"))
        except BaseException:
            self.preparation.slots.release()
            raise
        self.preparation.slots.release()
        return await self._copy(received, known)

    async def _copy(self, received: Received, known: Known) -> Claim | Done:
        request_id = received.trigger.request_id
        while True:
            match on_copy(known, self.ledger.worker_id):
                case Done() as done:
                    return done
                case Wait():
                    await self.closing.sleep(self.policy.copy_poll)
                case TakeOver(interrupted=interrupted):
                    worker, announced = self.ledger.worker_id, known.attempts_started
                    if await self.ledger.takeovers.submit(
                        Takeover(request_id, known.fence, worker, announced, interrupted)
                    ):
                        return self._taken_over(received, known, interrupted=interrupted)
            seen = await self.ledger.looks.submit(request_id)
            if seen is None:  # its partition was dropped meanwhile: retention outlives every message
                return Done("forgotten")
            known = seen

    def _taken_over(self, received: Received, known: Known, *, interrupted: bool) -> Claim:
        now = self.clock.monotonic()
        history = History(known.attempts_started, known.ambiguous_attempts, known.interrupted_attempts)
        if interrupted:
            history = History(known.attempts_started, history.ambiguous + 1, history.interrupted + 1)
        expires_at = received.trigger.expires_at
        seconds = received.campaign.budget if received.campaign else 0.0
        first = known.first_dispatched_at
        started = self.clock.monotonic_at(first) if first else now
        budget = Budget(started, seconds, self.clock.monotonic_at(expires_at) if expires_at else None)
        wait = max(self.clock.monotonic_at(known.not_before) - now, 0.0) if known.not_before else 0.0
        ours = Round(known.round, known.fence + 1, history, budget, Retry(wait), now)
        if wait and now + wait + self.policy.attempt_minimum > budget.end:
            return Claim(ours, Refusal("expired", "retry-after-beyond-budget"))
        return Claim(ours, None)
