"""What an attempt needs before it may be sent: its time, a token, a permit, a slot, and its intent in the ledger."""

from contextlib import suppress
from dataclasses import dataclass, field

from ajo_worker.api.token import TokenProvider, TokenUnavailable
from ajo_worker.closing import Closing, HandedBack
from ajo_worker.dispatch.budget import Budget
from ajo_worker.dispatch.decision import History, Retry
from ajo_worker.dispatch.gate import NO_TOKEN, Gate, KeptBack, SentBack, Silence, Turn
from ajo_worker.dispatch.received import Received, Refusal
from ajo_worker.dispatch.round import Lost, Round
from ajo_worker.dispatch.standing import Standing
from ajo_worker.ledger.admission import Known
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.ledger.ledger import Ledger
from ajo_worker.ledger.progress import Intent
from ajo_worker.limits.block import KEPT_SECONDS
from ajo_worker.limits.limits import Limits
from ajo_worker.limits.slots import Place, Slots, TurnedAway
from ajo_worker.limits.turns import Urgency
from ajo_worker.limits.waits import Waits

TOKEN_POLL = 1.0
"""Seconds between looks, while a token is waited for: whether the worker stops, or something keeps the trigger back."""
LEASE_POLL = 0.2
PERMIT, PLACE = "permit", "place"
"""Where the limits say which phase a wait is."""


class _KeptBack(Exception):  # noqa: N818 - not an error: an outage, or an operator
    def __init__(self, back: KeptBack) -> None:
        super().__init__(back.reason)
        self.back = back


@dataclass(frozen=True, slots=True)
class Ready:
    """A token, a permit and a slot in hand; how long each was waited for, all tries together."""

    token: str = field(repr=False)
    place: Place
    waits: Waits


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
    attempt_minimum: float
    silence: Silence
    standing: Standing = field(default_factory=Standing)

    async def first_attempt(self, received: Received) -> Ready | Refusal | Known:
        """Wait until a trigger may be sent, before anything is known of it; without a token it goes on waiting.

        While its lane is not consumed from it goes back to the broker, unless a probe needs one. A probe needs one of
        which nothing is known: of a batch that comes again and again, another one each time. What is known of others is
        returned.

        Raises:
            HandedBack: it does.
        """
        try:
            return await self._whenever(received, self._before(received))
        except SentBack:
            if self.gate.waits_in_broker(received.came_by):
                raise HandedBack from None
            return Refusal("parked", "silence")
        except _KeptBack as kept:
            campaign, wanted = received.campaign, False
            if campaign is not None and self.gate.wants_any(campaign):
                if (known := await self.ledger.looks.submit(received.trigger.request_id)) is not None:
                    return known
                wanted = self.gate.wants_one(campaign)
            if not wanted and not kept.back.of_campaign and self.gate.waits_in_broker(received.came_by):
                raise HandedBack from None
            return Refusal("parked", kept.back.reason)

    async def next_attempt(self, received: Received, current: Round) -> Prepared | Refusal:
        """Wait out the back-off, take a slot and a token, and announce the next attempt; a refusal ends the round.

        All that is waited for may take longer than foreseen: whether there is time for a retry is asked once more.

        Raises:
            Lost: the trigger is not ours any more.
        """
        budget, step, attempt = current.budget, current.step, current.history.attempts + 1
        if isinstance(step, Retry):
            # Event loops round their timers and may wake a moment early: Retry-After is a floor.
            while (left := current.decided + step.wait - self.clock.monotonic()) > 0:
                with self.standing.at(received.came_by, step.phase):
                    await self.closing.sleep(left)
        waited = self.clock.monotonic()
        try:
            if budget:
                ready = await self._within(received, current, budget)
            else:
                ready = await self._whenever(received, self._before(received) if received.resumed else Waits())
        except _KeptBack as kept:
            return Refusal("parked", kept.back.reason)
        except SentBack:
            return Refusal("parked", "silence")
        if isinstance(ready, Refusal):
            return ready
        intended = self.clock.monotonic()
        try:
            if budget is None or intended <= self.latest_start(received, budget, current.history):
                await self.announce(received, current.fence, attempt, intended, current.history.duplicate_cause)
            if budget is None or self.clock.monotonic() <= self.latest_start(received, budget, current.history):
                ledger_wait = self.clock.monotonic() - intended
                return Prepared(attempt, ready, intended, waited - current.decided, ledger_wait)
        except BaseException:
            self.slots.release(ready.place)
            raise
        self.slots.release(ready.place)
        latest = self.latest_start(received, budget, current.history)
        if intended - ready.waits.token <= latest < intended:
            return _without_token(budget)  # with a token at once it would have been in time
        in_vain = ready.waits.by_column() | {
            "backoff_wait_seconds": waited - current.decided,
            "ledger_wait_seconds": self.clock.monotonic() - intended,
        }
        return Refusal("expired", budget.end_reason, in_vain=in_vain)

    def latest_start(self, received: Received, budget: Budget, history: History) -> float:
        """Until when the next attempt may start (monotonic): a first one to the budget's end, a retry not so late."""
        if not history.attempts or received.campaign is None:
            return budget.end
        return budget.latest_start(self.attempt_minimum, self.gate.answers_take(received.campaign))

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

    def _before(self, received: Received) -> Waits:
        """What went by since its message came: too many were under way, or the loop was late with it.

        Whatever keeps those that are under way kept it from being opened.
        """
        waits = Waits(intake=max(self.clock.monotonic() - received.received - received.unopened, 0.0))
        return waits + Waits(**{self._unopened(received): received.unopened}) if received.unopened else waits

    def _unopened(self, received: Received) -> str:
        """The part of ``Waits`` that most of those under way wait in now."""
        match self.standing.mostly_now(received.came_by):
            case "silence" | "token" as phase:
                return phase
            case "back-off":
                return "congestion"
            case "proxy":
                return "slot"
            case "permit":
                return self.limits.because(received.lane).replace("-", "_")
            case _:
                return self.slots.because(received.lane)

    async def _whenever(self, received: Received, waits: Waits) -> Ready | Refusal:
        expires_at = received.trigger.expires_at
        expires = self.clock.monotonic_at(expires_at) if expires_at else float("inf")
        if expires <= self.clock.monotonic():
            return Refusal("expired", "expires-at")
        ready = await self._ready(received, received.urgency, waits, ends=expires, rejected=None, first=True)
        return ready or Refusal("expired", "expires-at")

    async def _within(self, received: Received, current: Round, budget: Budget) -> Ready | Refusal:
        urgency = min(received.urgency, Urgency.RETRY)
        ends = self.latest_start(received, budget, current.history)
        ready = await self._ready(received, urgency, Waits(), ends=ends, rejected=current.rejected_token, first=False)
        return ready or _without_token(budget)

    async def _ready(
        self, received: Received, urgency: Urgency, waits: Waits, *, ends: float, rejected: str | None, first: bool
    ) -> Ready | None:
        """All that an attempt needs; None if there is no token before ``ends`` (monotonic).

        The token comes first: permits that wait for one would all be used in the moment in which it comes. A silent
        destination comes next, and is asked about again by a ``first`` attempt that had to wait afterwards.
        """
        clock = self.clock.monotonic
        while True:
            began = clock()
            if not await self._token_comes(received, ends, rejected):
                return None
            there = clock()
            waits += Waits(token=there - began)
            turn = await self._turn(received, urgency) if first else None
            try:
                waits += Waits(silence=clock() - there)
                with self.standing.at(received.came_by, PERMIT):
                    waits += await self.limits.take(received, urgency)
                again = first and turn is None
                if again and self.silence.silent(received.trigger.campaign):
                    continue
                ready = await self._placed(received, urgency, waits, first=again)
                if isinstance(ready, Ready):
                    return ready
                waits = ready
            finally:
                if turn is not None:
                    turn.over()

    async def _turn(self, received: Received, urgency: Urgency) -> Turn | None:
        with self.standing.at(received.came_by, "silence"):
            return await self.silence.turn(received, urgency)

    async def _placed(self, received: Received, urgency: Urgency, waits: Waits, *, first: bool) -> Ready | Waits:
        """A place as well; only what was waited for, if all has to be asked for again."""
        asked = self.clock.monotonic()
        try:
            with self.standing.at(received.came_by, PLACE):
                place = await self.slots.take(urgency, received.trigger.campaign, received.lane, first=first)
        except TurnedAway:  # since calls are so slow that there is no answer at all
            return waits + Waits(congestion=self.clock.monotonic() - asked)
        try:
            self.closing.check()
            self._check(received)  # it may have waited for long
            waits += place.waits
            if first and self.silence.silent(received.trigger.campaign):
                self.slots.release(place)
                return waits
            token, waits = await self._newest_token(waits)
            if token is not None and place.waits.slot + place.waits.congestion > KEPT_SECONDS:
                waits += await self._permit_again(received, urgency, place.waits)
                token, waits = await self._newest_token(waits)
        except BaseException:
            self.slots.release(place)
            raise
        if token is not None:
            return Ready(token, place, waits)
        self.slots.release(place)
        return waits

    async def _permit_again(self, received: Received, urgency: Urgency, waited: Waits) -> Waits:
        """A new permit in place of one that has grown old: many places that come free at once must not make a burst.

        Only who has waited for a place for so long needs one, so it waits for whatever kept the place from it.
        """
        asked = self.clock.monotonic()
        await self.limits.take(received, urgency)
        again = self.clock.monotonic() - asked
        congestion = again * waited.congestion / (waited.slot + waited.congestion)
        return Waits(slot=again - congestion, congestion=congestion)

    async def _newest_token(self, waits: Waits) -> tuple[str | None, Waits]:
        """The token that is to be sent; the one that came first may have expired since, and a new one be on its way."""
        asked, token = self.clock.monotonic(), None
        with suppress(TokenUnavailable):
            token = await self.tokens.get(TOKEN_POLL)
        return token, waits + Waits(token=self.clock.monotonic() - asked)

    async def _token_comes(self, received: Received, ends: float, rejected: str | None) -> bool:
        while True:
            self.closing.check()
            self._check(received)
            left = min(ends - self.clock.monotonic(), TOKEN_POLL)
            with suppress(TokenUnavailable), self.standing.at(received.came_by, "token"):
                await (self.tokens.refresh(rejected, left) if rejected else self.tokens.get(left))
                return True
            if self.clock.monotonic() >= ends:
                return False

    def _check(self, received: Received) -> None:
        back = self.gate.kept_back(received.campaign) if received.campaign else None
        if back is not None and (back.of_probes or not received.probe):
            raise _KeptBack(back)

    def because(self, lane: str) -> str | None:
        """The phase that most of the time of what this lane has in hand went into since this was asked last."""
        match self.standing.mostly(lane):
            case "permit":
                return self.limits.because(lane)
            case "place":
                return self.slots.because(lane)
            case phase:
                return phase


def _without_token(budget: Budget) -> Refusal:
    """What becomes of a trigger whose budget went on waiting for a token: that was not its own failure."""
    if budget.end_reason == "expires-at":
        return Refusal("expired", "expires-at")
    return Refusal("parked", NO_TOKEN)
