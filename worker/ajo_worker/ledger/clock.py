"""The ledger's clock: the database's time, carried forward on this machine's monotonic clock.

All workers stamp with the same clock, so their instants compare; a step of a machine's wall clock, or its skew, moves
nothing that is recorded. Durations never come from here: they are differences of ``monotonic``.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

DRIFT = 100e-6
"""Seconds a second by which quartz clocks drift apart at most, roughly (100 ppm)."""
STEP_SECONDS = 2.0
"""By how much a sample must contradict what is known, to show that the database's clock was set."""


class LedgerClock:
    """Estimates the database's clock from samples; the sample with the least uncertainty wins, and ages.

    One that contradicts it shows that the database's clock was set, and wins at once.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time) -> None:
        self.monotonic = monotonic
        self._wall = wall
        self._epoch_at_zero = wall() - monotonic()
        self._uncertainty = float("inf")
        self._sampled_at = monotonic()

    def sample(self, asked: float, answered: float, database_time: datetime) -> float:
        """Learn from one question to the database, ``asked`` and ``answered`` at these monotonic instants.

        By how many seconds the database's clock was set since the last sample, forward or back; 0 if it wasn't.
        """
        uncertainty = (answered - asked) / 2
        aged = self._uncertainty + DRIFT * (answered - self._sampled_at)
        epoch = database_time.timestamp() - (asked + answered) / 2
        apart = epoch - self._epoch_at_zero
        stepped = abs(apart) > uncertainty + aged + STEP_SECONDS
        if stepped or uncertainty <= aged:
            self._epoch_at_zero, self._uncertainty, self._sampled_at = epoch, uncertainty, answered
        return apart if stepped else 0.0

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
