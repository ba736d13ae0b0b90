"""Triggers that take their steps together as long as they are alike; whoever differs goes apart, as a party of one."""

from collections.abc import Callable

from msgspec import Struct

from ajo_worker.dispatch.attempt import Flight, Round
from ajo_worker.dispatch.preparation import Preparation
from ajo_worker.limits.places import Place, Places
from ajo_worker.limits.slots import Line
from ajo_worker.limits.waits import NO_WAIT, Waits
from ajo_worker.triggers.campaign import KnownCampaign


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
    """A party that is being made ready: ``flights`` are those that are not, ``waits`` what they have waited together.

    ``line`` is where they wait for places, ``place`` the one that is in hand already.
    """

    __slots__ = ("_apart", "_before", "_by", "_party", "flights", "line", "place", "waits")

    def __init__(self, by: Preparation, party: Party, apart: Callable[[Party], None]) -> None:
        self._by, self._party, self._apart = by, party, apart
        self.flights, self.place = party.flights, party.place
        self.line: Line | None = None
        self.waits = NO_WAIT if party.waits is None else party.waits
        self._before = by.before(party.flights) if party.waits is None else {}
        if party.since is not None:  # the loop has not come round to it before
            self.waits += Waits(intake=by.clock.monotonic() - party.since)

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
        self._apart(Party(party.campaign, (flight,), party.round, waits, place, self._by.clock.monotonic()))
