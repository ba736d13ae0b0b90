"""The ledger's clock: the database's time, carried forward on this machine's monotonic clock.

All workers stamp with the same clock, so their instants compare; a step of a machine's wall clock, or its skew, moves
nothing that is recorded. Durations never come from here: they are differences of ``monotonic``.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

DRIFT = 100e-6
"""Seconds a second by which quartz clocks drift apart at most, roughly (100 ppm)."""


class LedgerClock:
    """Estimates the database's clock from samples; the sample with the least uncertainty wins, and ages."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time) -> None:
        self.monotonic = monotonic
        self._wall = wall
        self._epoch_at_zero = wall() - monotonic()
        self._uncertainty = float("inf")
        self._sampled_at = monotonic()

    def sample(self, asked: float, answered: float, database_time: datetime) -> None:
        """Learn from one question to the database, ``asked`` and ``answered`` at these monotonic instants."""
        uncertainty = (answered - asked) / 2
        aged = self._uncertainty + DRIFT * (answered - self._sampled_at)
        if uncertainty <= aged:
            self._epoch_at_zero = database_time.timestamp() - (asked + answered) / 2
            self._uncertainty = uncertainty
            self._sampled_at = answered

    def at(self, monotonic: float) -> datetime:
        """The ledger's time at a monotonic instant."""
        return datetime.fromtimestamp(self._epoch_at_zero + monotonic, UTC)

    def now(self) -> datetime:
        """The ledger's time."""
        return self.at(self.monotonic())

    def monotonic_at(self, moment: datetime) -> float:
        """The monotonic instant of a ledger time."""
        return moment.timestamp() - self._epoch_at_zero

    @property
    def skew(self) -> timedelta:
        """This machine's wall clock minus the ledger's."""
        return timedelta(seconds=self._wall() - (self._epoch_at_zero + self.monotonic()))
