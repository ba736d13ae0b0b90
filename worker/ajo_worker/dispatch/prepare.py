"""What an attempt needs before it may be announced, in this order: a token, its turn, a permit, a place."""

from collections.abc import Callable

from ajo_worker.dispatch.attempt import Attempt, Flight, Ready, Unready
from ajo_worker.dispatch.gate import HeldUp, SentBack, Turn
from ajo_worker.dispatch.kept_back import when_kept_back, when_sent_back, when_without_token
from ajo_worker.dispatch.means import Means
from ajo_worker.dispatch.party import Party, Together
from ajo_worker.dispatch.standing import PLACE
from ajo_worker.ledger.admission import Known
from ajo_worker.limits.permits import KEPT_SECONDS
from ajo_worker.limits.places import Place, Places
from ajo_worker.limits.slots import Line, TurnedAway
from ajo_worker.limits.waits import NO_WAIT, Waits
from ajo_worker.triggers.refusal import EXPIRED, Refusal

NEVER = float("inf")


class Preparing:
    """A party on its way to its attempts; ``party`` are those of it that are not ready yet."""

    def __init__(self, by: Means, party: Party, apart: Callable[[Party], None]) -> None:
        self._by, self._round, self._campaign = by, party.round, party.campaign
        self._name = party.campaign.definition.name
        self.party = Together(by, party, apart)
        self._received, self._budget = self.party.received, self.party.budget
        self._now = by.clock.monotonic
        self._ours = party.round is not None
        self._asked = 0.0

    async def some(self) -> Ready | Unready:
        """Wait until some of the attempts may be announced: one at least, and all that are ready in that moment.

        While its lane is not consumed from a trigger goes back to the broker, unless a probe needs one. A probe needs
        one of which nothing is known: of a batch that comes again and again, another one each time.

        Raises:
            HandedBack: the worker is stopping, or it goes back.
        """
        try:
            while self.party.flights:
                try:
                    place = self.party.place
                    ready = await (self._next() if place is None else self._permitted_again(place))
                except HeldUp as kept:
                    if self.party.line is not None:
                        phase = self._by.slots.because(self._received.lane)
                        self.party.waited(Waits(**{phase: self._now() - self._asked}))
                    self.party.leave_line()
                    if len(self.party.flights) == 1:
                        return self._unready(await when_kept_back(self._by, self._received, kept.back, ours=self._ours))
                    self.party.part(1)
                except SentBack:
                    return self._unready(when_sent_back(self._by, self._received, ours=self._ours))
                else:
                    if ready is not None:
                        return ready
        except BaseException:
            self.party.leave_line()
            raise
        return Ready([], self._by.slots.none())

    async def _next(self) -> Ready | Unready | None:
        """One try: None if all has to be asked for again.

        The token comes first: permits that wait for one would all be used in the moment in which it comes. A silent
        destination comes next, and is asked about again by a first attempt that had to wait afterwards.
        """
        turn: Turn | None = None
        try:
            if self.party.line is None:
                ends = self._ends()
                if (self._budget is None and ends <= self._now()) or not await self.party.token_comes(ends):
                    return self._too_late()
                if self._budget is None and self._by.silence.silent(self._name):
                    self.party.part(1)
                    turn = await self.party.turn()
                await self.party.permitted()
                if self._budget is None and turn is None and self._by.silence.silent(self._name):
                    return None
            first = self._budget is None and turn is None
            self.party.line = line = self.party.line or self._in_line(first=first)
            return await self._placed(line, first=first)
        finally:
            if turn is not None:
                turn.over()

    def _ends(self) -> float:
        """Until when a token is waited for (monotonic)."""
        if self._round is not None and self._budget is not None:
            return self._by.latest_start(self._received, self._budget, self._round.history)
        expiries = (flight.received.trigger.expires_at for flight in self.party.flights)
        return min((self._by.clock.monotonic_at(one) for one in expiries if one is not None), default=NEVER)

    def _too_late(self) -> Unready | None:
        if len(self.party.flights) > 1:  # one of them
            self.party.part(1)
            return None
        return self._unready(when_without_token(self._budget) if self._budget else EXPIRED)

    def _in_line(self, *, first: bool) -> Line:
        self._asked = self._now()
        return self._by.slots.line(
            self.party.urgency, self._name, self._received.lane, len(self.party.flights), first=first
        )

    async def _placed(self, line: Line, *, first: bool) -> Ready | None:
        """Those that get a place next. A ``first`` attempt asks once more whether its destination answers."""
        try:
            if not (places := line.at_once()):
                with self.party.stands(PLACE):
                    places = await line.some()
        except TurnedAway:  # since calls are so slow that there is no answer at all
            self.party.line = None
            self.party.waited(Waits(congestion=self._now() - self._asked))
            return None
        with places:
            self.party.may_go_on()  # it may have waited for long
            if first and self._by.silence.silent(self._name):
                self.party.anew(places, NO_WAIT)
                return None
            token, waited = await self.party.newest_token()
            if token is None:
                self.party.anew(places, waited)
                return None
            flights, now = self.party.leaving(len(places)), self._now()
            unpermitted = self._unpermitted(places)
            alone, attempts = self.party.alone(flights), list[Attempt]()
            for flight, place in zip(flights, tuple(places), strict=True):
                waits = self.party.waits_of(flight) + waited
                if place.waits is not NO_WAIT:  # the loop had not come round to it
                    waits += place.waits + Waits(intake=max(now - place.came - waited.token, 0.0))
                if place.number in unpermitted:
                    places.remove(place)
                    self.party.goes_on(flight, waits, place, alone=alone)
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
        self.party.place = None
        with Places(self._by.slots.release, (place,)) as places:
            self.party.may_go_on()
            asked, slow = self._now(), place.waits
            await self._by.limits.take(self._received, self.party.urgency)
            again = self._now() - asked
            congestion = again * slow.congestion / (slow.slot + slow.congestion)
            self.party.waited(Waits(slot=again - congestion, congestion=congestion))
            token, waited = await self.party.newest_token()
            self.party.waited(waited)
            if token is None:
                return None
            [flight] = self.party.leaving(1)
            return Ready([self._attempt(flight, token, place, self.party.waits_of(flight))], places.handed_on())

    def _attempt(self, flight: Flight, token: str, place: Place, waits: Waits) -> Attempt:
        return Attempt(flight, self._campaign, self._round, token, place, waits, self.party.backoff_wait)

    def _unready(self, why: Refusal | Known) -> Unready:
        [flight] = self.party.leaving(1)
        return Unready(flight, why)
