"""Which message is opened next: of each queue only as long as few of its triggers are under way, and in turns."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable

from ajo_producers.contract.lanes import lane_of

from ajo_worker.closing import Closing
from ajo_worker.triggers.delivery import Delivery

AT_ONCE = 64
"""Triggers of a queue after which others have a turn: a backlog that comes at once must not hold the loop up."""


class Opening:
    """Has messages opened only as long as fewer than ``most_open`` triggers of their queue are under way.

    The others wait undecoded. So what waits for one lane's destination never keeps another lane's messages, or urgent
    ones, from being opened. ``opened`` is called with a message and how long it has waited, and says how many triggers
    it brought.
    """

    def __init__(
        self,
        most_open: int,
        closing: Closing,
        monotonic: Callable[[], float],
        opened: Callable[[Delivery, float], int],
    ) -> None:
        self._most_open = most_open
        self._closing = closing
        self._monotonic = monotonic
        self._opened = opened
        self._waiting: dict[str, deque[tuple[Delivery, float]]] = {}
        self._open_of: Counter[str] = Counter()
        self._opened_now: Counter[str] = Counter()
        self._asked: set[str] = set()

    @property
    def waiting(self) -> dict[str, int]:
        """Messages of each queue that are not yet opened."""
        return {queue: len(waiting) for queue, waiting in self._waiting.items() if waiting}

    @property
    def open(self) -> int:
        """Triggers that are under way."""
        return self._open_of.total()

    def take(self, delivery: Delivery) -> None:
        """One more message. It never waits behind those of other queues."""
        self._waiting.setdefault(delivery.queue, deque()).append((delivery, self._monotonic()))
        self._open_from(delivery.queue)

    def over(self, queue: str, triggers: int) -> None:
        """So many triggers of a queue are not under way any more."""
        self._open_of[queue] -= triggers
        if self._waiting[queue] and queue not in self._asked:  # whoever tells of an end has other things to do
            self._asked.add(queue)
            asyncio.get_running_loop().call_soon(self._open_again, queue)

    def give_back(self, lane: str) -> None:
        """Give the messages of a lane back that are not opened yet."""
        for queue, waiting in self._waiting.items():
            while waiting and lane_of(queue) == lane:
                waiting.popleft()[0].receipt.returned()

    def give_all_back(self) -> None:
        """Give back whatever is not opened yet: the worker is stopping."""
        for waiting in self._waiting.values():
            while waiting:
                waiting.popleft()[0].receipt.returned()

    def drop_away(self) -> None:
        """Let go of what is not opened yet and the broker has again: whoever takes it there begins with it."""
        for waiting in self._waiting.values():
            for _ in range(len(waiting)):
                delivery, came = waiting.popleft()
                if delivery.receipt.away:
                    delivery.receipt.returned()
                else:
                    waiting.append((delivery, came))

    def _open_again(self, queue: str) -> None:
        self._asked.discard(queue)
        self._open_from(queue)

    def _open_from(self, queue: str) -> None:
        waiting = self._waiting[queue]
        while waiting and (self._may_open(queue) or self._closing.begun):
            delivery, came = waiting.popleft()
            if self._closing.begun:
                delivery.receipt.returned()
                continue
            if queue not in self._opened_now:
                asyncio.get_running_loop().call_soon(self._turn_over, queue, self._monotonic())
            triggers = self._opened(delivery, self._monotonic() - came)
            self._open_of[queue] += triggers
            self._opened_now[queue] += max(triggers, 1)

    def _may_open(self, queue: str) -> bool:
        return self._open_of[queue] < self._most_open and self._opened_now[queue] < AT_ONCE

    def _turn_over(self, queue: str, began: float) -> None:
        """Half of the time is for the other queues, if any of their triggers is under way."""
        took = self._monotonic() - began
        others = any(count for other, count in self._open_of.items() if other != queue)
        asyncio.get_running_loop().call_later(took if others else 0.0, self._next_turn, queue)

    def _next_turn(self, queue: str) -> None:
        del self._opened_now[queue]
        self._open_from(queue)
