"""Publishing at a steady rate."""

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

EVERY = 0.1
"""Seconds between two portions, about."""


def paced(
    items: Iterable[T],
    rate: float,
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> Iterator[list[T]]:
    """Portions of ``items``, ``rate`` items a second at most; what was missed is not made up for."""
    portion, rest = max(round(rate * EVERY), 1), iter(items)
    due = monotonic()
    while taken := list(islice(rest, portion)):
        if (wait := due - monotonic()) > 0:
            sleep(wait)
        due = max(due, monotonic()) + len(taken) / rate
        yield taken
