"""Who is next among those that wait: by urgency first, then each campaign in turn, then first come first served."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import Generic, TypeVar

T = TypeVar("T")


class Urgency(IntEnum):
    """A retry goes before a first attempt, since its budget is running; what is urgent goes before both.

    What was parked goes before what is new, and never before a retry: after an outage many go on at a low rate.
    """

    URGENT = 0
    RETRY = 1
    RESUMED = 2
    FIRST = 3


class Turns(Generic[T]):
    """A queue in which one campaign's backlog doesn't keep the others waiting."""

    def __init__(self) -> None:
        self._queues: tuple[OrderedDict[str, deque[T]], ...] = tuple(OrderedDict() for _ in Urgency)
        self._waiting = 0

    def __len__(self) -> int:
        return self._waiting

    def add(self, one: T, urgency: Urgency, campaign: str) -> None:
        """Let it wait."""
        self._queues[urgency].setdefault(campaign, deque()).append(one)
        self._waiting += 1

    def take(self, may: Callable[[Urgency, str], bool] = lambda *_: True) -> Iterator[T]:
        """Those that wait, each removed as it is given out, in their order; only of campaigns that ``may``."""
        for urgency, campaigns in zip(Urgency, self._queues, strict=True):
            while (campaign := next((name for name in campaigns if may(urgency, name)), None)) is not None:
                queue = campaigns.pop(campaign)
                one = queue.popleft()
                self._waiting -= 1
                if queue:
                    campaigns[campaign] = queue
                yield one
