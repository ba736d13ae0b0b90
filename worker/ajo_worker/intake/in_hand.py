"""The messages in hand, and for how long the broker has waited for an answer to each.

RabbitMQ closes a channel over which a message was not answered within its ``consumer_timeout``
(https://www.rabbitmq.com/docs/consumers#acknowledgement-timeout; 30 minutes by default), and all that came over it
comes again. So what is in hand for nearly so long goes back before, while the work goes on: the copy that comes takes
its place, or finds in the ledger what became of it elsewhere.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import takewhile
from math import inf
from typing import Any

from ajo_worker.intake.fullness import Fullness
from ajo_worker.intake.receipt import Key, Receipt

EARLY = 0.85
"""Part of the time-out after which a message goes back."""
LOOKS, LONGEST_LOOK = 20, 1.0
"""Looks within one time-out, and seconds between two of them at most."""
_USED = re.compile(r"delivery acknowledgement on channel .* timed out.* (\d+) ms")


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


def look_every(timeout: float) -> float:
    """Seconds between two looks, for a time-out in seconds (0: there is none). Pure."""
    return min(timeout / LOOKS, LONGEST_LOOK) if timeout else LONGEST_LOOK


def overdue(timeout: float, now: float) -> float:
    """The instant before which whatever came must go back now. Pure."""
    return now - EARLY * timeout if timeout else -inf


def timeout_used(told: str) -> float | None:
    """The ``consumer_timeout`` in seconds for which RabbitMQ says that it closed a channel; None if it didn't. Pure."""
    found = _USED.search(told)
    return int(found[1]) / 1000 if found else None
