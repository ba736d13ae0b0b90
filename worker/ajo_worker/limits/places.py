"""Places for attempts in flight, as they are held and given back."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from ajo_worker.limits.waits import NO_WAIT, Waits


@dataclass(slots=True, eq=False)
class Place:
    """One place, held until it is given back; how long it was waited for, until the instant ``came`` (monotonic)."""

    number: int
    campaign: str
    lane: str
    urgent: bool
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
