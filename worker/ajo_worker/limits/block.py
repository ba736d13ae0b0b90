"""A block of permits, and how many make one. Pure: instants are monotonic seconds, rates are calls a second."""

from math import ceil, exp2

from msgspec import Struct

BLOCK_SECONDS = 0.05
"""A block holds what its rate allows in this time: large enough to spare round trips, small enough to be exact."""
KEPT_SECONDS = 1.0
"""Permits that nobody wanted are no good later: many kept ones would make a burst."""


class Block(Struct, frozen=True):
    """``permits`` that may be used from ``begins`` on, and not much later than ``ends``.

    ``throttled`` and ``ramped`` are the parts (0 to 1) of the configured rate that 429s and an outage have left of it.
    """

    permits: int
    begins: float
    ends: float
    throttled: float = 1.0
    ramped: float = 1.0

    def usable(self, now: float) -> bool:
        """Whether one may be used now."""
        return self.permits > 0 and self.begins <= now <= self.ends + KEPT_SECONDS

    def comes(self, now: float) -> bool:
        """Whether it has permits whose time will come."""
        return self.permits > 0 and now < self.begins

    def less(self, used: int) -> "Block":
        """What is left after so many were used."""
        return Block(self.permits - used, self.begins, self.ends, self.throttled, self.ramped)

    @property
    def speed(self) -> float:
        """Its rate, as a part of the configured one."""
        return self.throttled * self.ramped

    @property
    def causes(self) -> tuple[float, float]:
        """By how much 429s slow it, and by how much the outage that is over."""
        return 1.0 - self.throttled, 1.0 - self.ramped


def block_size(rate: float) -> int:
    """Permits in a block."""
    return max(1, ceil(rate * BLOCK_SECONDS))


def ramp_rate(since: float, *, first: float, doubling: float, limit: float) -> float:
    """Calls a second that are allowed ``since`` seconds after an outage ended: few at first, twice as many in each
    ``doubling`` seconds, until ``limit``.
    """
    return min(limit, first * exp2(min(max(since, 0.0) / doubling, 64.0)))
