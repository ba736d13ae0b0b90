"""Places for attempts in flight: how many there are, and who gets the next one."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from itertools import count

from ajo_worker.closing import Closing
from ajo_worker.limits.bounds import Bounds, Shares
from ajo_worker.limits.places import Place, Places
from ajo_worker.limits.shadow import Ticket
from ajo_worker.limits.turns import Turns
from ajo_worker.limits.waits import Waits
from ajo_worker.triggers.urgency import Urgency

SLOWED = (1.0, 0.0)


class TurnedAway(Exception):  # noqa: N818 - not an error: it asks again when its campaign may be sent
    """No place any more: first attempts of this campaign are held back."""


def _unlimited(_: str) -> None:
    return None


class Line:
    """Attempts of one campaign that wait for places together. They get them as they come, all in their turn.

    ``wanted`` is how many have none yet.
    """

    def __init__(self, slots: "Slots", urgency: Urgency, campaign: str, lane: str, wanted: int, *, first: bool) -> None:
        self.urgency, self.campaign, self.lane, self.first = urgency, campaign, lane, first
        self.wanted = wanted
        self.gone = False
        self.tickets: Sequence[Ticket] = ()
        self.waits = False
        self.bound = slots.bounds.all
        self.came = slots.none()
        self.wake: asyncio.Future[None] | None = None
        self.turned_away = False
        self._slots = slots

    async def some(self) -> Places:
        """Wait for places: one at least, and as many more as there are at that moment.

        Raises:
            HandedBack: the worker is stopping.
            TurnedAway: see ``Slots.turn_away``.
        """
        return self.at_once() or await self._slots.wait_for(self)

    def at_once(self) -> Places:
        """The places that it can have now: none if it has to wait."""
        found = self.came.handed_on() if self.waits else self._slots.occupy(self)
        self.wanted -= len(found)
        return found

    def leave(self) -> None:
        """Wait no more."""
        self._slots.let_go(self)


class Slots:
    """A counting semaphore; who waits is served in the order of ``Turns``.

    ``most_of`` says how many places a campaign may have at most; None for as many as there are. ``shares`` bounds what
    lanes may have. A wait is ours as long as it would have been with calls that are not slow; the rest is congestion.
    """

    def __init__(
        self,
        places: int,
        closing: Closing,
        most_of: Callable[[str], int | None] = _unlimited,
        shares: Shares | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._free = places
        self._closing = closing
        self._monotonic = monotonic
        self._turns: Turns[Line] = Turns()
        self.bounds = Bounds(shares or Shares(places, places, places), most_of)
        self._lane_of: dict[str, str] = {}
        self._numbers = count()

    @property
    def taken(self) -> int:
        """Places that are taken."""
        return self.bounds.taken_by.total()

    def none(self) -> Places:
        """Places to be, of which there is none yet."""
        return Places(self.release)

    def line(self, urgency: Urgency, campaign: str, lane: str = "", wanted: int = 1, *, first: bool = True) -> Line:
        """Ask for so many places; ``first`` for first attempts, which can be turned away."""
        self._lane_of[campaign] = lane
        return Line(self, urgency, campaign, lane, wanted, first=first)

    def occupy(self, line: Line) -> Places:
        """As many free places as a line wants and may have."""
        found = self.none()
        while len(found) < line.wanted and self._free and self._may(line.urgency, line.campaign):
            found.append(self._occupy(line.urgency, line.campaign))
        return found

    async def wait_for(self, line: Line) -> Places:
        """Let a line wait in its turn; see ``Line.some``."""
        if line.turned_away:
            raise TurnedAway
        if not line.waits:
            self._closing.check()
            self._enter(line)
        line.wake = asyncio.get_running_loop().create_future()
        try:
            await self._closing.race(line.wake)
        except BaseException:
            line.leave()
            raise
        return line.at_once()

    def let_go(self, line: Line) -> None:
        """A line is left; what was given to it in the same moment is passed on."""
        if not line.gone and line.waits:
            line.gone = True
            line.bound.waiting -= line.wanted - len(line.came)
        with line.came.handed_on():
            pass

    def sent(self, place: Place) -> None:
        """The call that the place is for is being made."""
        self.bounds.sends(place, self._monotonic())

    def release(self, place: Place) -> None:
        """Give a place back; who has it in ``Places`` leaves that to them."""
        now = self._monotonic()
        self._free += 1
        self.bounds.gives_back(place, now)
        if self._turns:
            self._give(now)

    def turn_away(self, campaigns: Collection[str]) -> None:
        """End the waits of these campaigns' first attempts."""
        kept: Counter[Line] = Counter()
        for line in self._turns.take(lambda _, campaign: campaign in campaigns):
            if not line.first:
                kept[line] += 1
            elif not line.gone:
                line.turned_away = line.gone = True
                line.bound.waiting -= line.wanted - len(line.came)
                if line.wake is not None and not line.wake.done():
                    line.wake.set_exception(TurnedAway())
        for line, turns in kept.items():
            self._turns.add(line, line.urgency, line.campaign, turns)

    def because(self, lane: str) -> str:
        """What waits for a place of this lane waits for: ``congestion`` if half of the calls or more are slow."""
        return "congestion" if self.bounds.congested(lane, self._monotonic()) else "slot"

    def _enter(self, line: Line) -> None:
        came, urgent = self._monotonic(), line.urgency is Urgency.URGENT
        bound = self.bounds.waited_for(line.campaign, line.lane, urgent=urgent, free=self._free > 0)
        line.waits, line.bound = True, bound
        if not bound.waiting:
            bound.shadow.rests(came)
            bound.crowd.restarts(came)
        bound.waiting += line.wanted
        line.tickets = [bound.shadow.enters(came) for _ in range(line.wanted)]
        self._turns.add(line, line.urgency, line.campaign, line.wanted)

    def _give(self, now: float) -> None:
        for line in self._turns.take(self._may):
            if line.gone:
                continue
            bound = line.bound
            bound.shadow.lets_through(now, 1, bound.crowd.speed(now), SLOWED)
            place = self._occupy(line.urgency, line.campaign)
            ticket = line.tickets[len(line.tickets) - line.wanted + len(line.came)]
            ours, (congestion, _) = bound.shadow.leaves(ticket, now)
            place.waits, place.came = Waits(slot=ours, congestion=congestion), now
            bound.waiting -= 1
            line.came.append(place)
            if line.wake is not None and not line.wake.done():
                line.wake.set_result(None)
            if not self._free:
                return

    def _occupy(self, urgency: Urgency, campaign: str) -> Place:
        place = Place(next(self._numbers), campaign, self._lane_of[campaign], urgency is Urgency.URGENT)
        self._free -= 1
        self.bounds.takes(place, self._monotonic())
        return place

    def _may(self, urgency: Urgency, campaign: str) -> bool:
        return self.bounds.may(campaign, self._lane_of[campaign], urgent=urgency is Urgency.URGENT)
