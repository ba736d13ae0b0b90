"""Who is next among those that wait: by urgency first, then each campaign in turn, then first come first served."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from ajo_worker.triggers.urgency import Urgency

T = TypeVar("T")


class _Entry(Generic[T]):
    """One that waits, for so many turns."""

    __slots__ = ("one", "turns")

    def __init__(self, one: T, turns: int) -> None:
        self.one, self.turns = one, turns


class Turns(Generic[T]):
    """A queue in which one campaign's backlog doesn't keep the others waiting."""

    def __init__(self) -> None:
        self._queues: tuple[OrderedDict[str, deque[_Entry[T]]], ...] = tuple(OrderedDict() for _ in Urgency)
        self._waiting = 0

    def __len__(self) -> int:
        return self._waiting

    def add(self, one: T, urgency: Urgency, campaign: str, turns: int = 1) -> None:
        """Let it wait; with several ``turns`` it stays in front of its campaign until it has had them all."""
        self._queues[urgency].setdefault(campaign, deque()).append(_Entry(one, turns))
        self._waiting += turns

    def take(self, may: Callable[[Urgency, str], bool] = lambda *_: True) -> Iterator[T]:
        """Those that wait, each removed as it is given out, in their order; only of campaigns that ``may``."""
        for urgency, campaigns in zip(Urgency, self._queues, strict=True):
            while (campaign := next((name for name in campaigns if may(urgency, name)), None)) is not None:
                queue = campaigns.pop(campaign)
                entry = queue[0]
                entry.turns -= 1
                self._waiting -= 1
                if not entry.turns:
                    queue.popleft()
                if queue:
                    campaigns[campaign] = queue
                yield entry.one
