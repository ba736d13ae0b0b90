"""The messages in hand: what the broker waits for, what goes on though it has them again, how many are too many."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from ajo_producers.contract.lanes import lane_of

from ajo_worker.intake.receipt import Key, Receipt

QUIET = 1.0
"""Seconds with room after which it is over: in between, one message goes and another one comes."""


@dataclass(slots=True)
class Fullness:
    """Told of each message that is taken or answered for, on one thread; instants are of the monotonic clock.

    It is ``heavy`` from ``most_bytes`` on until half of them are gone: the broker counts messages, and how long each is
    whoever sends it chooses.
    """

    most: int
    most_bytes: int
    heavy: bool = False
    _newest: tuple[float, float | None] | None = None
    """Since when, and until when; None for the end while it lasts. One value, that other threads may read."""

    def taken(self, in_hand: int, size: int, now: float) -> None:
        """A message was taken, and makes ``in_hand`` of them, of so many bytes together."""
        self.heavy = self.heavy or size >= self.most_bytes
        if in_hand < self.most and not self.heavy:
            return
        since, until = self._newest or (now, now)
        if until is not None:
            self._newest = (since if now - until <= QUIET else now), None

    def ended(self, in_hand: int, size: int, now: float) -> None:
        """A message was answered for, and leaves ``in_hand`` of them, of so many bytes together."""
        self.heavy = self.heavy and size > self.most_bytes // 2
        if in_hand < self.most and not self.heavy and self._newest is not None and self._newest[1] is None:
            self._newest = self._newest[0], now

    def newest(self, now: float) -> tuple[float, float] | None:
        """Since when, and until when at least, it was full; None if it never was."""
        if (newest := self._newest) is None:
            return None
        since, until = newest
        return since, now if until is None else until


class InHand:
    """Told of each message that comes, and of what becomes of it; on the hub's thread only."""

    def __init__(self, fullness: Mapping[str, Fullness], heavier: Callable[[frozenset[str]], None]) -> None:
        self._fullness = fullness
        self._heavier = heavier
        """Told which queues are heavy whenever that changes."""
        self._held: dict[Receipt, float] = {}
        """Those that the broker waits for, the oldest first, and when they came."""
        self._held_of: Counter[str] = Counter()
        self._bytes_of: Counter[str] = Counter()
        self._away: dict[Key, list[Receipt]] = {}
        self.taken = 0

    @property
    def held(self) -> int:
        """Messages that the broker waits for."""
        return len(self._held)

    @property
    def away(self) -> int:
        """Messages whose work goes on though the broker has them again."""
        return sum(map(len, self._away.values()))

    def is_heavy(self, queue: str) -> bool:
        """Whether so many bytes of a queue are in hand that no more may come."""
        return (fullness := self._fullness.get(queue)) is not None and fullness.heavy

    def joins(self, key: Key, copy: Any, now: float) -> bool:
        """Whether a message is the copy of one that is away: its work is in hand, and its receipt answers for it."""
        self.taken += 1
        if not self._away or not (receipts := self._away.get(key)):
            return False
        receipt = receipts.pop()
        if not receipts:
            del self._away[key]
        receipt.take(copy)
        self.hold(receipt, now)
        return True

    def hold(self, receipt: Receipt, now: float) -> None:
        """The broker waits for this one from now on."""
        self._held[receipt] = now
        queue = receipt.key.queue
        self._held_of[queue] += 1
        self._bytes_of[queue] += len(receipt.key.body)
        if (fullness := self._fullness.get(queue)) is not None:
            was = fullness.heavy
            fullness.taken(self._held_of[queue], self._bytes_of[queue], now)
            self._tell_if_other(was, fullness)

    def ended(self, receipt: Receipt, now: float) -> None:
        """It is answered for, or needs no answer any more."""
        if receipt in self._held:
            self._let_go(receipt, now)
        elif receipt in (receipts := self._away.get(receipt.key, [])):
            receipts.remove(receipt)
            if not receipts:
                del self._away[receipt.key]

    def give_back(self, before: float, now: float) -> int:
        """Give back what came before an instant; how many that were."""
        old = [receipt for receipt, _ in takewhile(lambda held: held[1] < before, self._held.items())]
        for receipt in old:
            self._lend(receipt, now)
            receipt.give_back()
        return len(old)

    def connection_lost(self, now: float) -> None:
        """All that came over it comes again."""
        for receipt in list(self._held):
            self._lend(receipt, now)
            receipt.lose()

    def full_lanes(self, now: float) -> dict[str, tuple[float, float]]:
        """Since when and until when no more messages of a lane could be taken; from any thread."""
        full = {queue: newest for queue, fullness in self._fullness.items() if (newest := fullness.newest(now))}
        return {lane_of(queue): newest for queue, newest in sorted(full.items(), key=lambda item: item[1][1])}

    def _lend(self, receipt: Receipt, now: float) -> None:
        self._let_go(receipt, now)
        self._away.setdefault(receipt.key, []).append(receipt)

    def _let_go(self, receipt: Receipt, now: float) -> None:
        del self._held[receipt]
        queue = receipt.key.queue
        self._held_of[queue] -= 1
        self._bytes_of[queue] -= len(receipt.key.body)
        if (fullness := self._fullness.get(queue)) is not None:
            was = fullness.heavy
            fullness.ended(self._held_of[queue], self._bytes_of[queue], now)
            self._tell_if_other(was, fullness)

    def _tell_if_other(self, was: bool, fullness: Fullness) -> None:
        if fullness.heavy != was:
            self._heavier(frozenset(queue for queue, one in self._fullness.items() if one.heavy))
