"""What an attempt needs before it may be announced, in this order: a token, its turn, a permit, a place."""

from collections.abc import Callable
from contextlib import suppress

from msgspec import Struct

from ajo_worker.api.token import TokenUnavailable
from ajo_worker.closing import HandedBack
from ajo_worker.dispatch.attempt import Attempt, Flight, Party
from ajo_worker.dispatch.budget import Budget
from ajo_worker.dispatch.decision import Retry
from ajo_worker.dispatch.gate import NO_TOKEN, KeptBack, SentBack, Turn
from ajo_worker.dispatch.preparation import Preparation
from ajo_worker.ledger.admission import Known
from ajo_worker.limits.block import KEPT_SECONDS
from ajo_worker.limits.places import Place, Places
from ajo_worker.limits.slots import Line, TurnedAway
from ajo_worker.limits.waits import NO_WAIT, Waits
from ajo_worker.triggers.refusal import Refusal
from ajo_worker.triggers.urgency import Urgency

TOKEN_POLL = 1.0
"""Seconds between looks, while a token is waited for: whether the worker stops, or something keeps the trigger back."""
PERMIT, PLACE = "permit", "place"
"""Where the limits say which phase a wait is."""
NEVER = float("inf")


class _KeptBack(Exception):  # noqa: N818 - not an error: an outage, or an operator
    def __init__(self, back: KeptBack) -> None:
        super().__init__(back.reason)
        self.back = back


class Ready(Struct, frozen=True):
    """Attempts that are ready at the same time, and the places that they have: whoever gets them answers for these."""

    attempts: list[Attempt]
    places: Places


class Unready(Struct, frozen=True):
    """A trigger that is not to be attempted now; what is known of it, where that is the reason."""

    flight: Flight
    why: Refusal | Known


class Preparing:
    """A party on its way to its attempts; ``flights`` are those not ready yet, ``waits`` what they waited together.

    Whoever differs from the others goes apart, and is a party of one.
    """

    def __init__(self, by: Preparation, party: Party, apart: Callable[[Party], None]) -> None:
        received, round_, self._campaign = party.flights[0].received, party.round, party.campaign
        self.flights, self.waits = party.flights, NO_WAIT if party.waits is None else party.waits
        self._before = by.before(party.flights) if party.waits is None else {}
        self._by, self._apart, self._round, self._place = by, apart, round_, party.place
        if party.since is not None:  # the loop has not come round to it before
            self.waits += Waits(intake=by.clock.monotonic() - party.since)
        self._received = received
        self._now = by.clock.monotonic
        self._budget = round_.budget if round_ else None
        self._rejected = round_.rejected_token if round_ else None
        self._urgency = min(received.urgency, Urgency.RETRY) if self._budget else received.urgency
        self._backoff_wait = 0.0
        self._line: Line | None = None
        self._asked = 0.0

    async def backed_off(self) -> None:
        """Wait out the back-off before the next attempt of a round.

        Raises:
            HandedBack: the worker is stopping.
        """
        if (current := self._round) is None:
            return
        if isinstance(step := current.step, Retry):
            # Event loops round their timers and may wake a moment early: Retry-After is a floor.
            while (left := current.decided + step.wait - self._now()) > 0:
                with self._by.standing.at(self._received.came_by, step.phase):
                    await self._by.closing.sleep(left)
        self._backoff_wait = self._now() - current.decided

    async def some(self) -> Ready | Unready:
        """Wait until some of the attempts may be announced: one at least, and all that are ready in that moment.

        While its lane is not consumed from a trigger goes back to the broker, unless a probe needs one. A probe needs
        one of which nothing is known: of a batch that comes again and again, another one each time.

        Raises:
            HandedBack: the worker is stopping, or it goes back.
        """
        try:
            while self.flights:
                try:
                    ready = await (self._next() if self._place is None else self._permitted_again(self._place))
                except _KeptBack as kept:
                    if self._line is not None:
                        self._waited(Waits(**{self._by.slots.because(self._received.lane): self._now() - self._asked}))
                    self._leave_line()
                    if len(self.flights) == 1:
                        return self._unready(await self._kept_back(kept.back))
                    self._part(1)
                except SentBack:
                    return self._unready(self._sent_back())
                else:
                    if ready is not None:
                        return ready
        except BaseException:
            self._leave_line()
            raise
        return Ready([], self._by.slots.none())

    async def _next(self) -> Ready | Unready | None:
        """One try: None if all has to be asked for again.

        The token comes first: permits that wait for one would all be used in the moment in which it comes. A silent
        destination comes next, and is asked about again by a first attempt that had to wait afterwards.
        """
        turn: Turn | None = None
        try:
            if self._line is None:
                ends = self._ends()
                if (self._budget is None and ends <= self._now()) or not await self._token_comes(ends):
                    return self._too_late()
                if self._budget is None and self._silent:
                    self._part(1)
                    turn = await self._turn()
                await self._permitted()
                if self._budget is None and turn is None and self._silent:
                    return None
            first = self._budget is None and turn is None
            self._line = line = self._line or self._in_line(first=first)
            return await self._placed(line, first=first)
        finally:
            if turn is not None:
                turn.over()

    @property
    def _silent(self) -> bool:
        return self._by.silence.silent(self._campaign.definition.name)

    def _ends(self) -> float:
        """Until when a token is waited for (monotonic)."""
        if self._round is not None and self._budget is not None:
            return self._by.latest_start(self._received, self._budget, self._round.history)
        expiries = (flight.received.trigger.expires_at for flight in self.flights)
        return min((self._by.clock.monotonic_at(one) for one in expiries if one is not None), default=NEVER)

    def _too_late(self) -> Unready | None:
        if len(self.flights) > 1:  # one of them
            self._part(1)
            return None
        return self._unready(without_token(self._budget) if self._budget else Refusal("expired", "expires-at"))

    async def _token_comes(self, ends: float) -> bool:
        tokens, began = self._by.tokens, self._now()
        while True:
            self._may_go_on()
            if self._rejected is None and tokens.current() is not None:
                break
            left = min(ends - self._now(), TOKEN_POLL)
            with suppress(TokenUnavailable), self._by.standing.at(self._received.came_by, "token", len(self.flights)):
                await (tokens.refresh(self._rejected, left) if self._rejected else tokens.get(left))
                break
            if self._now() >= ends:
                self._waited(Waits(token=self._now() - began))
                return False
        if (waited := self._now() - began) > 0.0:
            self._waited(Waits(token=waited))
        return True

    async def _turn(self) -> Turn | None:
        asked = self._now()
        with self._by.standing.at(self._received.came_by, "silence"):
            turn = await self._by.silence.turn(self._received, self._urgency)
        self._waited(Waits(silence=self._now() - asked))
        return turn

    async def _permitted(self) -> None:
        """Use up permits: for as many as there are, or wait for one. The others go apart, and wait in their turn."""
        there = self._by.limits.take_now(self._received, len(self.flights))
        if there < len(self.flights):
            self._part(max(there, 1))
        if not there:
            with self._by.standing.at(self._received.came_by, PERMIT):
                self._waited(await self._by.limits.take(self._received, self._urgency))

    def _in_line(self, *, first: bool) -> Line:
        self._asked, name = self._now(), self._campaign.definition.name
        return self._by.slots.line(self._urgency, name, self._received.lane, len(self.flights), first=first)

    async def _placed(self, line: Line, *, first: bool) -> Ready | None:
        """Those that get a place next. A ``first`` attempt asks once more whether its destination answers."""
        try:
            if not (places := line.at_once()):
                with self._by.standing.at(self._received.came_by, PLACE, len(self.flights)):
                    places = await line.some()
        except TurnedAway:  # since calls are so slow that there is no answer at all
            self._line = None
            self._waited(Waits(congestion=self._now() - self._asked))
            return None
        with places:
            self._may_go_on()  # it may have waited for long
            if first and self._silent:
                self._anew(places, NO_WAIT)
                return None
            token, waited = await self._newest_token()
            if token is None:
                self._anew(places, waited)
                return None
            flights, now = self._leaving(len(places)), self._now()
            unpermitted = self._unpermitted(places)
            alone, attempts = self._alone(flights), list[Attempt]()
            for flight, place in zip(flights, tuple(places), strict=True):
                waits = self._waits_of(flight) + waited
                if place.waits is not NO_WAIT:  # the loop had not come round to it
                    waits += place.waits + Waits(intake=max(now - place.came - waited.token, 0.0))
                if place.number in unpermitted:
                    places.remove(place)
                    self._goes_on(flight, waits, place, alone=alone)
                else:
                    attempts.append(self._attempt(flight, token, place, waits))
            return Ready(attempts, places.handed_on()) if attempts else None

    def _unpermitted(self, places: Places) -> frozenset[int]:
        """Which of these places were waited for so long that the permit has grown old, and there is no other now."""
        old = [one.number for one in places if one.waits.slot + one.waits.congestion > KEPT_SECONDS]
        return frozenset(old[self._by.limits.take_now(self._received, len(old)) :]) if old else frozenset()

    async def _permitted_again(self, place: Place) -> Ready | None:
        """A new permit in place of one that has grown old: many places that come free at once must not make a burst.

        Only who has waited for a place for so long needs one, so it waits for whatever kept the place from it.
        """
        self._place = None
        with Places(self._by.slots.release, (place,)) as places:
            self._may_go_on()
            asked, slow = self._now(), place.waits
            await self._by.limits.take(self._received, self._urgency)
            again = self._now() - asked
            congestion = again * slow.congestion / (slow.slot + slow.congestion)
            self._waited(Waits(slot=again - congestion, congestion=congestion))
            token, waited = await self._newest_token()
            self._waited(waited)
            if token is None:
                return None
            [flight] = self._leaving(1)
            return Ready([self._attempt(flight, token, place, self._waits_of(flight))], places.handed_on())

    async def _newest_token(self) -> tuple[str | None, Waits]:
        """The token that is to be sent; the one that came first may have expired since, and a new one be on its way."""
        asked, token = self._now(), self._by.tokens.current()
        if token is not None:
            return token, NO_WAIT
        with suppress(TokenUnavailable):
            token = await self._by.tokens.get(TOKEN_POLL)
        return token, Waits(token=self._now() - asked)

    def _attempt(self, flight: Flight, token: str, place: Place, waits: Waits) -> Attempt:
        return Attempt(flight, self._campaign, self._round, token, place, waits, self._backoff_wait)

    def _may_go_on(self) -> None:
        self._by.closing.check()
        back = self._by.gate.kept_back(self._campaign)
        if back is not None and (back.of_probes or not self._received.probe):
            raise _KeptBack(back)

    async def _kept_back(self, back: KeptBack) -> Refusal | Known:
        """What becomes of a trigger that may not go on."""
        received, gate, wanted = self._received, self._by.gate, False
        if self._round is not None:
            return Refusal("parked", back.reason)
        if gate.wants_any(self._campaign):
            if (known := await self._by.ledger.looks.submit(received.trigger.request_id)) is not None:
                return known
            wanted = gate.wants_one(self._campaign)
        if not wanted and not back.of_campaign and not received.resumed and gate.waits_in_broker(received.came_by):
            raise HandedBack
        return Refusal("parked", back.reason)

    def _sent_back(self) -> Refusal:
        received = self._received
        if self._round is None and not received.resumed and self._by.gate.waits_in_broker(received.came_by):
            raise HandedBack
        return Refusal("parked", "silence")

    def _waited(self, waits: Waits) -> None:
        self.waits += waits

    def _waits_of(self, flight: Flight) -> Waits:
        return self._before.get(flight, NO_WAIT) + self.waits

    def _leaving(self, many: int) -> tuple[Flight, ...]:
        """The first of them leave; with the last one the line is at its end."""
        left, self.flights = self.flights[:many], self.flights[many:]
        if not self.flights:
            self._line = None
        return left

    def _part(self, many: int) -> None:
        """All but the first go apart."""
        kept, others = self.flights[:many], self.flights[many:]
        self.flights = kept
        for flight in others:
            self._apart(Party(self._campaign, (flight,), self._round, self._waits_of(flight), None, self._now()))

    def _anew(self, places: Places, waited: Waits) -> None:
        """Those that have these places ask for everything again: each has waited for itself."""
        flights = self._leaving(len(places))
        alone = self._alone(flights)
        for flight, place in zip(flights, places, strict=True):
            self._goes_on(flight, self._waits_of(flight) + place.waits + waited, None, alone=alone)

    def _alone(self, leaving: tuple[Flight, ...]) -> bool:
        """Whether this has been a party of one."""
        return not self.flights and len(leaving) == 1

    def _goes_on(self, flight: Flight, waits: Waits, place: Place | None, *, alone: bool) -> None:
        """As a party of its own, perhaps with a place in hand; as this one, where there is nobody else."""
        if alone:
            self.flights, self.waits, self._before, self._place = (flight,), waits, {}, place
        else:
            self._apart(Party(self._campaign, (flight,), self._round, waits, place, self._now()))

    def _unready(self, why: Refusal | Known) -> Unready:
        [flight] = self._leaving(1)
        return Unready(flight, why)

    def _leave_line(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.leave()


def without_token(budget: Budget) -> Refusal:
    """What becomes of a trigger whose budget went on waiting for a token: that was not its own failure."""
    if budget.end_reason == "expires-at":
        return Refusal("expired", "expires-at")
    return Refusal("parked", NO_TOKEN)
