"""Places for attempts in flight, as they are held and given back."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from ajo_worker.limits.crowd import Crowd
from ajo_worker.limits.shadow import Shadow
from ajo_worker.limits.waits import NO_WAIT, Waits


@dataclass(slots=True)
class Bound:
    """Places that are bounded together: all, a lane's, a campaign's."""

    crowd: Crowd = field(default_factory=Crowd)
    shadow: Shadow = field(default_factory=Shadow)
    waiting: int = 0


class Bounds:
    """Those of one worker; ``all`` is that of all its places."""

    def __init__(self) -> None:
        self.all = Bound()
        self._of_lane: dict[str, Bound] = {}
        self._of_campaign: dict[str, Bound] = {}
        self._by: dict[tuple[str, str], tuple[Bound, Bound, Bound]] = {}

    def of(self, campaign: str, lane: str) -> tuple[Bound, Bound, Bound]:
        """Those that the places of a campaign are bounded by: that of all, its lane's, its own."""
        found = self._by.get((campaign, lane))
        if found is None:
            of_lane = self._of_lane.setdefault(lane, Bound())
            found = self._by[campaign, lane] = self.all, of_lane, self._of_campaign.setdefault(campaign, Bound())
        return found

    def congested(self, lane: str, now: float) -> bool:
        """Whether half of the calls or more are slow, of all or of a lane's."""
        crowds = [bound.crowd for bound in (self.all, self._of_lane.get(lane)) if bound is not None]
        return any(crowd.taken and 2 * crowd.slow(now) >= crowd.taken for crowd in crowds)


@dataclass(slots=True, eq=False)
class Place:
    """One place, held until it is given back; how long it was waited for, until the instant ``came`` (monotonic)."""

    number: int
    campaign: str
    lane: str
    urgent: bool
    bounds: tuple[Bound, ...] = ()
    waits: Waits = NO_WAIT
    came: float = 0.0


class Places(list[Place]):
    """Places in hand. Those that are still in it when its block ends are given back: there, and nowhere else."""

    __slots__ = ("_give_back",)

    def __init__(self, give_back: Callable[[Place], None], places: Iterable[Place] = ()) -> None:
        super().__init__(places)
        self._give_back = give_back

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self:
            self._give_back(self.pop())

    def handed_on(self, place: Place | None = None) -> "Places":
        """A place, or all of them, in other hands: whoever gets them answers for them from now on."""
        if place is None:
            others = Places(self._give_back, self)
            self.clear()
            return others
        self.remove(place)
        return Places(self._give_back, (place,))
