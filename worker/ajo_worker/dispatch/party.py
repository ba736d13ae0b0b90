"""Triggers that take their steps together as long as they are alike; whoever differs goes apart, as a party of one."""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress

from msgspec import Struct

from ajo_worker.api.token import TokenUnavailable
from ajo_worker.dispatch.attempt import Flight, Round
from ajo_worker.dispatch.decision import Retry
from ajo_worker.dispatch.gate import HeldUp, Turn
from ajo_worker.dispatch.means import Means
from ajo_worker.dispatch.standing import PERMIT
from ajo_worker.limits.places import Place, Places
from ajo_worker.limits.slots import Line
from ajo_worker.limits.waits import NO_WAIT, Waits
from ajo_worker.triggers.campaign import KnownCampaign
from ajo_worker.triggers.urgency import Urgency

TOKEN_POLL = 1.0
"""Seconds between looks, while a token is waited for: whether the worker stops, or something keeps the trigger back."""


class Party(Struct, frozen=True):
    """Triggers of one campaign that came by one lane and are to be attempted, together as long as none is different.

    ``round`` is that of one which is ours already, and alone; None where this attempt is to be its claim. ``waits`` are
    theirs up to the instant ``since``; None for all the time since the message of each came. One that went apart may
    have a ``place``.
    """

    campaign: KnownCampaign
    flights: tuple[Flight, ...]
    round: Round | None = None
    waits: Waits | None = None
    place: Place | None = None
    since: float | None = None


class Together:
    """A party that is being made ready: who of it is not, what they wait for, and how long they have waited together.

    ``line`` is where they wait for places, ``place`` the one that is in hand already. ``received`` stands for all.
    """

    __slots__ = (
        "_apart",
        "_before",
        "_by",
        "_now",
        "_party",
        "_rejected",
        "backoff_wait",
        "budget",
        "flights",
        "line",
        "place",
        "received",
        "urgency",
        "waits",
    )

    def __init__(self, by: Means, party: Party, apart: Callable[[Party], None]) -> None:
        self._by, self._party, self._apart, self._now = by, party, apart, by.clock.monotonic
        self.flights, self.place = party.flights, party.place
        self.received, current = party.flights[0].received, party.round
        self.budget = current.budget if current else None
        self._rejected = current.rejected_token if current else None
        self.urgency = min(self.received.urgency, Urgency.RETRY) if self.budget else self.received.urgency
        self.line: Line | None = None
        self.backoff_wait = 0.0
        self.waits = NO_WAIT if party.waits is None else party.waits
        self._before = by.standing.before(party.flights) if party.waits is None else {}
        if party.since is not None:  # the loop has not come round to it before
            self.waits += Waits(intake=self._now() - party.since)

    def stands(self, phase: str) -> AbstractContextManager[None]:
        """They all wait in this phase meanwhile."""
        return self._by.standing.at(self.received.came_by, phase, len(self.flights))

    async def backed_off(self) -> None:
        """Wait out the back-off before the next attempt of a round.

        Raises:
            HandedBack: the worker is stopping.
        """
        if (current := self._party.round) is None:
            return
        if isinstance(step := current.step, Retry):
            # Event loops round their timers and may wake a moment early: Retry-After is a floor.
            while (left := current.decided + step.wait - self._now()) > 0:
                with self.stands(step.phase):
                    await self._by.closing.sleep(left)
        self.backoff_wait = waited = self._now() - current.decided
        if isinstance(step, Retry) and waited > step.wait:  # what we came later is nobody else's
            self.backoff_wait = step.wait
            self.waited(Waits(intake=waited - step.wait))

    def may_go_on(self) -> None:
        """Whether it may: asked after each wait that may have been long.

        Raises:
            HandedBack: the worker is stopping.
            HeldUp: something keeps its campaign back.
        """
        self._by.closing.check()
        back = self._by.gate.kept_back(self._party.campaign)
        if back is not None and (back.of_probes or not self.received.probe):
            raise HeldUp(back)

    async def token_comes(self, ends: float) -> bool:
        """Wait for a token; False if there is none by then (monotonic)."""
        tokens, began = self._by.tokens, self._now()
        while True:
            self.may_go_on()
            if self._rejected is None and tokens.current() is not None:
                break
            left = min(ends - self._now(), TOKEN_POLL)
            with suppress(TokenUnavailable), self.stands("token"):
                await (tokens.refresh(self._rejected, left) if self._rejected else tokens.get(left))
                break
            if self._now() >= ends:
                self.waited(Waits(token=self._now() - began))
                return False
        if (waited := self._now() - began) > 0.0:
            self.waited(Waits(token=waited))
        return True

    async def turn(self) -> Turn | None:
        """Wait for the turn of its one trigger at a destination that answers nothing; None if that answers again."""
        asked = self._now()
        with self.stands("silence"):
            turn = await self._by.silence.turn(self.received, self.urgency)
        self.waited(Waits(silence=self._now() - asked))
        return turn

    async def permitted(self) -> None:
        """Use up permits: for as many as there are, or wait for one. The others go apart, and wait in their turn.

        Where nobody waits, only the next block is missing: it will mostly do for all of them.
        """
        limits = self._by.limits
        there = limits.take_now(self.received, len(self.flights))
        if not there:
            if limits.waiting(self.received):
                self.part(1)
            with self.stands(PERMIT):
                self.waited(await limits.take(self.received, self.urgency))
            there = 1 + limits.take_now(self.received, len(self.flights) - 1)
        if there < len(self.flights):
            self.part(there)

    async def newest_token(self) -> tuple[str | None, Waits]:
        """The token that is to be sent; the one that came first may have expired since, and a new one be on its way."""
        asked, token = self._now(), self._by.tokens.current()
        if token is not None:
            return token, NO_WAIT
        with suppress(TokenUnavailable):
            token = await self._by.tokens.get(TOKEN_POLL)
        return token, Waits(token=self._now() - asked)

    def waited(self, waits: Waits) -> None:
        """All of them have waited so long."""
        self.waits += waits

    def waits_of(self, flight: Flight) -> Waits:
        """What one has waited: also for itself, before it was with the others."""
        return self._before.get(flight, NO_WAIT) + self.waits

    def leaving(self, many: int) -> tuple[Flight, ...]:
        """The first of them leave; with the last one the line is at its end."""
        left, self.flights = self.flights[:many], self.flights[many:]
        if not self.flights:
            self.line = None
        return left

    def leave_line(self) -> None:
        """Wait for places no more."""
        line, self.line = self.line, None
        if line is not None:
            line.leave()

    def part(self, many: int) -> None:
        """All but the first go apart."""
        kept, others = self.flights[:many], self.flights[many:]
        self.flights = kept
        for flight in others:
            self._goes_apart(flight, self.waits_of(flight), None)

    def anew(self, places: Places, waited: Waits) -> None:
        """Those that have these places ask for everything again: each has waited for itself."""
        flights = self.leaving(len(places))
        alone = self.alone(flights)
        for flight, place in zip(flights, places, strict=True):
            self.goes_on(flight, self.waits_of(flight) + place.waits + waited, None, alone=alone)

    def alone(self, leaving: tuple[Flight, ...]) -> bool:
        """Whether this has been a party of one."""
        return not self.flights and len(leaving) == 1

    def goes_on(self, flight: Flight, waits: Waits, place: Place | None, *, alone: bool) -> None:
        """As a party of its own, perhaps with a place in hand; as this one, where there is nobody else."""
        if alone:
            self.flights, self.waits, self._before, self.place = (flight,), waits, {}, place
        else:
            self._goes_apart(flight, waits, place)

    def _goes_apart(self, flight: Flight, waits: Waits, place: Place | None) -> None:
        party = self._party
        self._apart(Party(party.campaign, (flight,), party.round, waits, place, self._now()))
