"""What bounds places: how many there may be, who holds them, and how slow their calls are.

Without I/O; instants are monotonic seconds.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from ajo_worker.limits.places import Place
from ajo_worker.limits.shadow import APART, Shadow

SLOW = 2.0
"""Seconds after which a call in flight is slow: the service level that the phase ``headers`` comes with."""
USUAL, WEIGHT = 0.25, 0.05
"""Seconds that a call takes which is not slow, until such calls have told; how much each of them weighs then."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Most places at once: of ordinary triggers of a lane, of all of a lane's, of ordinary triggers of all lanes."""

    ordinary_of_lane: int
    of_lane: int
    ordinary: int

    def may(self, urgent: bool, ordinary_of_lane: int, of_lane: int, ordinary: int) -> bool:
        """Whether one more may take a place, where so many are taken."""
        if of_lane >= self.of_lane:
            return False
        return urgent or (ordinary_of_lane < self.ordinary_of_lane and ordinary < self.ordinary)


def shares(places: int, *, lanes: int, lane_share: float, urgent: bool, urgent_reserve: float) -> Shares:
    """The shares of so many places, where triggers are of so many lanes, and some are ``urgent`` or none.

    A lane that is the only one has nobody to leave places to; without urgent campaigns none are kept for them. The
    reserve is rounded, so a worker with less than ten places has none by default: one would be too much of them. A
    lane's urgent triggers count as well, so that a lane that hangs never has the whole reserve: of 1,000 places it gets
    760 for ordinary triggers, and 40 more for urgent ones.
    """
    kept = min(int(places * urgent_reserve + 0.5), places - 1) if urgent else 0
    if lanes < 2:  # noqa: PLR2004 - two are the first that can be in each other's way
        return Shares(places - kept, places, places - kept)
    return Shares(max(int((places - kept) * lane_share), 1), max(int(places * lane_share), 1), places - kept)


@dataclass(slots=True)
class Crowd:
    """Those that hold the places of one kind. ``speed`` tells at which part of their full speed they hand them on."""

    taken: int = 0
    _held: float = 0.0
    """Seconds that places were held, up to ``_asked``."""
    _slow: float = 0.0
    """Seconds of them that slow calls took beyond what is usual: nobody would have waited for a place so long."""
    _asked: float = 0.0
    _since: float = 0.0
    _speed: float | None = None
    _usual: float = USUAL
    _young: OrderedDict[int, float] = field(default_factory=OrderedDict)
    _old: dict[int, float] = field(default_factory=dict)

    def enters(self, now: float) -> None:
        """A place is taken."""
        self._advance(now)
        self.taken += 1

    def sends(self, who: int, now: float) -> None:
        """Whoever has a place makes its call: from now on it may be slow."""
        self._young[who] = now

    def leaves(self, who: int, now: float) -> None:
        """A place is given back."""
        self._advance(now)
        self.taken -= 1
        if (sent := self._young.pop(who, None)) is not None:
            self._usual += WEIGHT * (now - sent - self._usual)
        else:
            self._old.pop(who, None)

    def restarts(self, now: float) -> None:
        """Somebody begins to wait: how fast places were handed on before is of no interest."""
        self._advance(now)
        self._held = self._slow = 0.0
        self._since, self._speed = now, None

    def speed(self, now: float) -> float:
        """At which part of the full speed places were handed on of late: 1 if no call was slow.

        Many calls end in the same moment: their places are handed on at the speed of the time before.
        """
        self._advance(now)
        if self._held > 0.0 and (self._speed is None or now - self._since >= APART):
            self._speed = 1.0 - min(self._slow / self._held, 1.0)
            self._held = self._slow = 0.0
            self._since = now
        return 1.0 if self._speed is None else self._speed

    def slow(self, now: float) -> int:
        """How many calls are slow."""
        self._advance(now)
        return len(self._old)

    def _advance(self, now: float) -> None:
        seconds = max(now - self._asked, 0.0)
        self._held += self.taken * seconds
        self._slow += len(self._old) * seconds
        while self._young:
            who, sent = next(iter(self._young.items()))
            if sent + SLOW > now:
                break
            del self._young[who]
            self._old[who] = sent
            self._slow += now - max(sent + self._usual, self._since)
        self._asked = max(now, self._asked)


@dataclass(slots=True)
class Bound:
    """Places that are bounded together: all, a lane's, a campaign's."""

    crowd: Crowd = field(default_factory=Crowd)
    shadow: Shadow = field(default_factory=Shadow)
    waiting: int = 0


class Bounds:
    """Those of one worker; ``all`` is that of all its places.

    ``shares`` bounds what lanes may have; ``most_of`` says how many places a campaign may have, None for as many as
    there are.
    """

    def __init__(self, shares: Shares, most_of: Callable[[str], int | None]) -> None:
        self._shares = shares
        self._most_of = most_of
        self.all = Bound()
        self._of_lane: dict[str, Bound] = {}
        self._of_campaign: dict[str, Bound] = {}
        self._by: dict[tuple[str, str], tuple[Bound, Bound, Bound]] = {}
        self.taken_by: Counter[str] = Counter()
        """Places that each campaign has."""
        self.taken_of: Counter[str] = Counter()
        """Places that each lane has."""
        self._ordinary_of: Counter[str] = Counter()
        self._ordinary = 0

    def may(self, campaign: str, lane: str, *, urgent: bool) -> bool:
        """Whether one more trigger may take a place, if there is one."""
        most = self._most_of(campaign)
        return (most is None or self.taken_by[campaign] < most) and self._lane_may(lane, urgent=urgent)

    def waited_for(self, campaign: str, lane: str, *, urgent: bool, free: bool) -> Bound:
        """The bound that keeps a trigger from a place now; ``free``: there are places, and others may have them."""
        most = self._most_of(campaign)
        of_all, of_lane, of_campaign = self._of(campaign, lane)
        if most is not None and self.taken_by[campaign] >= most:
            return of_campaign
        return of_lane if free and not self._lane_may(lane, urgent=urgent) else of_all

    def takes(self, place: Place, now: float) -> None:
        """A place is taken."""
        self.taken_by[place.campaign] += 1
        self.taken_of[place.lane] += 1
        if not place.urgent:
            self._ordinary_of[place.lane] += 1
            self._ordinary += 1
        for bound in self._of(place.campaign, place.lane):
            bound.crowd.enters(now)

    def sends(self, place: Place, now: float) -> None:
        """The call that a place is for is being made."""
        for bound in self._by[place.campaign, place.lane]:
            bound.crowd.sends(place.number, now)

    def gives_back(self, place: Place, now: float) -> None:
        """A place is free again."""
        self.taken_by[place.campaign] -= 1
        if not self.taken_by[place.campaign]:
            del self.taken_by[place.campaign]
        self.taken_of[place.lane] -= 1
        if not place.urgent:
            self._ordinary_of[place.lane] -= 1
            self._ordinary -= 1
        for bound in self._by[place.campaign, place.lane]:
            bound.crowd.leaves(place.number, now)

    def congested(self, lane: str, now: float) -> bool:
        """Whether half of the calls or more are slow, of all or of a lane's."""
        crowds = [bound.crowd for bound in (self.all, self._of_lane.get(lane)) if bound is not None]
        return any(crowd.taken and 2 * crowd.slow(now) >= crowd.taken for crowd in crowds)

    def _lane_may(self, lane: str, *, urgent: bool) -> bool:
        return self._shares.may(urgent, self._ordinary_of[lane], self.taken_of[lane], self._ordinary)

    def _of(self, campaign: str, lane: str) -> tuple[Bound, Bound, Bound]:
        """Those that the places of a campaign are bounded by: that of all, its lane's, its own."""
        found = self._by.get((campaign, lane))
        if found is None:
            of_lane = self._of_lane.setdefault(lane, Bound())
            found = self._by[campaign, lane] = self.all, of_lane, self._of_campaign.setdefault(campaign, Bound())
        return found
