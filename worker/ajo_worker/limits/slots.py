"""Places for attempts in flight."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from itertools import count

from ajo_worker.closing import Closing
from ajo_worker.limits.crowd import Crowd
from ajo_worker.limits.shadow import Shadow, Ticket
from ajo_worker.limits.shares import Shares
from ajo_worker.limits.turns import Turns, Urgency
from ajo_worker.limits.waits import Waits

SLOWED = (1.0, 0.0)
NO_WAIT = Waits()
ALL = ""
"""The kind of all places."""


class TurnedAway(Exception):  # noqa: N818 - not an error: it asks again when its campaign may be sent
    """No place any more: first attempts of this campaign are held back."""


def _unlimited(_: str) -> None:
    return None


@dataclass(slots=True)
class Place:
    """One place, held until it is given back; how long it was waited for."""

    number: int
    campaign: str
    lane: str
    urgent: bool
    kinds: "tuple[_Kind, ...]" = ()
    waits: Waits = NO_WAIT


@dataclass(slots=True)
class _Waiting:
    place: asyncio.Future[Place]
    campaign: str
    lane: str
    urgency: Urgency
    first: bool
    kind: str
    ticket: Ticket


@dataclass(slots=True)
class _Kind:
    """Places that are bounded together: all, a lane's, a campaign's."""

    crowd: Crowd = field(default_factory=Crowd)
    shadow: Shadow = field(default_factory=Shadow)
    waiting: int = 0


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
        self._most_of = most_of
        self._shares = shares or Shares(places, places, places)
        self._monotonic = monotonic
        self._turns: Turns[_Waiting] = Turns()
        self._of: Counter[str] = Counter()
        self._of_lane: Counter[str] = Counter()
        self._ordinary_of: Counter[str] = Counter()
        self._kinds: dict[str, _Kind] = {ALL: _Kind()}
        self._kinds_by: dict[tuple[str, str], tuple[_Kind, ...]] = {}
        self._lane_of: dict[str, str] = {}
        self._numbers = count()

    @property
    def taken(self) -> int:
        """Places that are taken."""
        return self._of.total()

    def taken_by(self, campaign: str) -> int:
        """Places that a campaign has."""
        return self._of[campaign]

    def taken_of(self, lane: str) -> int:
        """Places that a lane has."""
        return self._of_lane[lane]

    async def take(self, urgency: Urgency, campaign: str, lane: str = "", *, first: bool = True) -> Place:
        """Wait for a place; ``first`` for a first attempt, which can be turned away.

        Raises:
            HandedBack: the worker is stopping.
            TurnedAway: see ``turn_away``.
        """
        self._closing.check()
        self._lane_of[campaign] = lane
        if self._free and self._may(urgency, campaign):
            return self._occupy(urgency, campaign)
        kind, came = self._bound_by(urgency, campaign), self._monotonic()
        if not kind[1].waiting:
            kind[1].shadow.rests(came)
            kind[1].crowd.restarts(came)
        kind[1].waiting += 1
        future: asyncio.Future[Place] = asyncio.get_running_loop().create_future()
        waiting = _Waiting(future, campaign, lane, urgency, first, kind[0], kind[1].shadow.enters(came))
        self._turns.add(waiting, urgency, campaign)
        try:
            await self._closing.race(future)
        except BaseException:
            if (
                future.done() and not future.cancelled() and not future.exception()
            ):  # given in the same moment: pass it on
                self.release(future.result())
            else:
                future.cancel()
            raise
        finally:
            kind[1].waiting -= 1
        return future.result()

    def sent(self, place: Place) -> None:
        """The call that the place is for is being made."""
        now = self._monotonic()
        for kind in place.kinds:
            kind.crowd.sends(place.number, now)

    def release(self, place: Place) -> None:
        """Give a place back."""
        now = self._monotonic()
        self._free += 1
        self._of[place.campaign] -= 1
        if not self._of[place.campaign]:
            del self._of[place.campaign]
        self._of_lane[place.lane] -= 1
        if not place.urgent:
            self._ordinary_of[place.lane] -= 1
        for kind in place.kinds:
            kind.crowd.leaves(place.number, now)
        self._give(now)

    def turn_away(self, campaigns: Collection[str]) -> None:
        """End the waits of these campaigns' first attempts."""
        kept: list[_Waiting] = []
        for waiting in self._turns.take(lambda _, campaign: campaign in campaigns):
            if waiting.first and not waiting.place.done():
                waiting.place.set_exception(TurnedAway())
            else:
                kept.append(waiting)
        for waiting in kept:
            self._turns.add(waiting, waiting.urgency, waiting.campaign)

    def because(self, lane: str) -> str:
        """What waits for a place of this lane waits for: ``congestion`` if half of the calls or more are slow."""
        crowds = [kind.crowd for name, kind in self._kinds.items() if name in (ALL, f"lane:{lane}")]
        now = self._monotonic()
        return "congestion" if any(c.taken and 2 * c.slow(now) >= c.taken for c in crowds) else "slot"

    def _give(self, now: float) -> None:
        for waiting in self._turns.take(self._may):
            if waiting.place.done():
                continue
            kind = self._kinds[waiting.kind]
            kind.shadow.lets_through(now, 1, kind.crowd.speed(now), SLOWED)
            place = self._occupy(waiting.urgency, waiting.campaign)
            ours, (congestion, _) = kind.shadow.leaves(waiting.ticket, now)
            place.waits = Waits(slot=ours, congestion=congestion)
            waiting.place.set_result(place)
            if not self._free:
                return

    def _occupy(self, urgency: Urgency, campaign: str) -> Place:
        lane, now = self._lane_of[campaign], self._monotonic()
        kinds = self._kinds_of(campaign, lane)
        place = Place(next(self._numbers), campaign, lane, urgency is Urgency.URGENT, kinds)
        self._free -= 1
        self._of[campaign] += 1
        self._of_lane[lane] += 1
        if not place.urgent:
            self._ordinary_of[lane] += 1
        for kind in kinds:
            kind.crowd.enters(now)
        return place

    def _may(self, urgency: Urgency, campaign: str) -> bool:
        most = self._most_of(campaign)
        return (most is None or self._of[campaign] < most) and self._lane_may(urgency, self._lane_of[campaign])

    def _lane_may(self, urgency: Urgency, lane: str) -> bool:
        return self._shares.may(
            urgent=urgency is Urgency.URGENT,
            ordinary_of_lane=self._ordinary_of[lane],
            of_lane=self._of_lane[lane],
            ordinary=self._ordinary_of.total(),
        )

    def _bound_by(self, urgency: Urgency, campaign: str) -> tuple[str, _Kind]:
        """Which bound a trigger waits for that gets no place now."""
        most, lane = self._most_of(campaign), self._lane_of[campaign]
        self._kinds_of(campaign, lane)
        name = ALL
        if most is not None and self._of[campaign] >= most:
            name = f"campaign:{campaign}"
        elif self._free and not self._lane_may(urgency, lane):
            name = f"lane:{lane}"
        return name, self._kinds[name]

    def _kinds_of(self, campaign: str, lane: str) -> tuple[_Kind, ...]:
        found = self._kinds_by.get((campaign, lane))
        if found is None:
            names = (ALL, f"lane:{lane}", f"campaign:{campaign}")
            found = tuple(self._kinds.setdefault(name, _Kind()) for name in names)
            self._kinds_by[campaign, lane] = found
        return found
