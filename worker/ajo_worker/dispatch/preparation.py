"""What an attempt needs before it may be sent: its time, a permit, a slot, a token, and its intent in the ledger."""

from dataclasses import dataclass, field

import structlog

from ajo_worker.api.token import TokenProvider, TokenUnavailable
from ajo_worker.closing import Closing, HandedBack
from ajo_worker.dispatch.budget import Budget
from ajo_worker.dispatch.decision import Retry
from ajo_worker.dispatch.gate import Gate, KeptBack
from ajo_worker.dispatch.received import Received, Refusal
from ajo_worker.dispatch.round import Lost, Round
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.ledger.ledger import Ledger
from ajo_worker.ledger.progress import Intent
from ajo_worker.limits.limits import Limits
from ajo_worker.limits.slots import Slots
from ajo_worker.limits.turns import Urgency

log = structlog.get_logger("ajo_worker.dispatch")

TOKEN_WAIT = 30.0
"""Seconds that a first attempt waits for a token before it looks again whether its trigger has expired."""
LEASE_POLL = 0.2


class _KeptBack(Exception):  # noqa: N818 - not an error: an outage, or an operator
    def __init__(self, back: KeptBack) -> None:
        super().__init__(back.reason)
        self.back = back


@dataclass(frozen=True, slots=True)
class Ready:
    """A permit, a slot and a token in hand; how long each was waited for, in seconds."""

    token: str = field(repr=False)
    rate_limit_wait: float
    slot_wait: float
    token_wait: float


@dataclass(frozen=True, slots=True)
class Prepared:
    """An announced attempt. ``intended`` is monotonic; the waits are in seconds."""

    attempt: int
    ready: Ready
    intended: float
    backoff_wait: float
    ledger_wait: float


@dataclass(frozen=True, slots=True)
class Preparation:
    """Makes attempts ready, one after another in the same order of steps."""

    ledger: Ledger
    clock: LedgerClock
    tokens: TokenProvider
    limits: Limits
    slots: Slots
    gate: Gate
    closing: Closing

    async def first_attempt(self, received: Received) -> Ready | Refusal:
        """Wait until a trigger may be sent, before anything is known of it; without a token it goes on waiting.

        While its lane is not consumed from it goes back to the broker, unless a probe needs one.

        Raises:
            HandedBack: it does.
        """
        try:
            return await self._whenever(received)
        except _KeptBack as kept:
            wanted = received.campaign is not None and self.gate.wants_one(received.campaign)
            if not wanted and not kept.back.of_campaign and self.gate.waits_in_broker(received.came_by):
                raise HandedBack from None
            return Refusal("parked", kept.back.reason)

    async def next_attempt(self, received: Received, current: Round) -> Prepared | Refusal:
        """Wait out the back-off, take a slot and a token, and announce the next attempt; a refusal ends the round.

        Raises:
            Lost: the trigger is not ours any more.
        """
        budget, step, attempt = current.budget, current.step, current.history.attempts + 1
        if isinstance(step, Retry):
            # Event loops round their timers and may wake a moment early: Retry-After is a floor.
            while (left := current.decided + step.wait - self.clock.monotonic()) > 0:
                await self.closing.sleep(left)
        waited = self.clock.monotonic()
        try:
            ready = await self._within(received, current, budget) if budget else await self._whenever(received)
        except _KeptBack as kept:
            return Refusal("parked", kept.back.reason)
        if isinstance(ready, Refusal):
            return ready
        intended = self.clock.monotonic()
        try:
            if budget is None or budget.left(intended) > 0:
                await self.announce(received, current.fence, attempt, intended, current.history.duplicate_cause)
            if budget is None or budget.left(self.clock.monotonic()) > 0:
                ledger_wait = self.clock.monotonic() - intended
                return Prepared(attempt, ready, intended, waited - current.decided, ledger_wait)
        except BaseException:
            self.slots.release(received.trigger.campaign)
            raise
        self.slots.release(received.trigger.campaign)
        return Refusal("expired", budget.end_reason)

    async def announce(self, received: Received, fence: int, attempt: int, intended: float, cause: str | None) -> None:
        """Commit the intent of an attempt, and hold it back until nobody can have taken the trigger over.

        Raises:
            Lost: somebody has.
        """
        intent = Intent(received.trigger.request_id, fence, attempt, self.clock.at(intended), cause)
        while True:
            asked = self.clock.monotonic()
            if not await self.ledger.intents.submit(intent):
                raise Lost
            if self.ledger.liveness.may_send(asked):
                return
            await self.closing.sleep(LEASE_POLL)

    async def _whenever(self, received: Received) -> Ready | Refusal:
        expires_at = received.trigger.expires_at
        expires = self.clock.monotonic_at(expires_at) if expires_at else float("inf")
        while (left := expires - self.clock.monotonic()) > 0:
            ready = await self._ready(received, received.urgency, timeout=min(left, TOKEN_WAIT), rejected=None)
            if ready is not None:
                return ready
        return Refusal("expired", "expires-at")

    async def _within(self, received: Received, current: Round, budget: Budget) -> Ready | Refusal:
        left = budget.left(self.clock.monotonic())
        urgency = min(received.urgency, Urgency.RETRY)
        ready = await self._ready(received, urgency, timeout=left, rejected=current.rejected_token)
        return ready or Refusal("expired", "token-unavailable")

    async def _ready(
        self, received: Received, urgency: Urgency, *, timeout: float, rejected: str | None
    ) -> Ready | None:
        began = self.clock.monotonic()
        self._check(received)
        await self.limits.take(received, urgency)
        permitted = self.clock.monotonic()
        await self.slots.take(urgency, received.trigger.campaign)
        taken = self.clock.monotonic()
        try:
            self.closing.check()
            self._check(received)  # it may have waited for long
            token = await (self.tokens.refresh(rejected, timeout) if rejected else self.tokens.get(timeout))
        except TokenUnavailable as unavailable:
            self.slots.release(received.trigger.campaign)
            log.warning("token-unavailable", reason=str(unavailable))
            return None
        except BaseException:
            self.slots.release(received.trigger.campaign)
            raise
        return Ready(token, permitted - began, taken - permitted, self.clock.monotonic() - taken)

    def _check(self, received: Received) -> None:
        back = self.gate.kept_back(received.campaign) if received.campaign and not received.probe else None
        if back is not None:
            raise _KeptBack(back)
