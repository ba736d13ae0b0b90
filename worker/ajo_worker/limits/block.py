"""A block of permits, and how many make one. Pure: instants are monotonic seconds, rates are calls a second."""

from dataclasses import dataclass
from math import ceil, exp2

BLOCK_SECONDS = 0.05
"""A block holds what its rate allows in this time: large enough to spare round trips, small enough to be exact."""
KEPT_SECONDS = 1.0
"""Permits that nobody wanted are no good later: many kept ones would make a burst."""


@dataclass(frozen=True, slots=True)
class Block:
    """``permits`` that may be used from ``begins`` on, and not much later than ``ends``."""

    permits: int
    begins: float
    ends: float

    def usable(self, now: float) -> bool:
        """Whether one may be used now."""
        return self.permits > 0 and self.begins <= now <= self.ends + KEPT_SECONDS

    def comes(self, now: float) -> bool:
        """Whether it has permits whose time will come."""
        return self.permits > 0 and now < self.begins

    def less_one(self) -> "Block":
        """What is left after one was used."""
        return Block(self.permits - 1, self.begins, self.ends)


def block_size(rate: float) -> int:
    """Permits in a block."""
    return max(1, ceil(rate * BLOCK_SECONDS))


def ramp_rate(since: float, *, first: float, doubling: float, limit: float) -> float:
    """Calls a second that are allowed ``since`` seconds after an outage ended: few at first, twice as many in each
    ``doubling`` seconds, until ``limit``.
    """
    return min(limit, first * exp2(min(max(since, 0.0) / doubling, 64.0)))
