"""What is sealed together: an hour of ids of a big table, or a day of a small one. Pure."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID

from ajo_producers.contract.timed_ids import floor_of, moment_of
from msgspec import Struct

HOUR = timedelta(hours=1)
HOURS = 24
HOURLY = ("triggers", "attempts", "feedback")
"""Sealed by hours of ids; the rest by days. What is read of each, and in which order, audit.digest says."""
DAILY = (
    "triggers_default",
    "attempts_default",
    "operations",
    "operation_triggers",
    "outages",
    "probes",
    "revisions",
    "removals",
)


class Chunk(Struct, frozen=True):
    """Rows that are sealed together: ``from_id`` is None where the whole day is."""

    day: date
    relation: str
    from_id: UUID | None = None
    to_id: UUID | None = None

    @property
    def hour(self) -> int | None:
        """Which hour of its day; None for the whole day."""
        return None if self.from_id is None else moment_of(self.from_id).hour

    @property
    def begin(self) -> datetime:
        """Its first instant."""
        return begin_of(self.day) + (self.hour or 0) * HOUR

    @property
    def end(self) -> datetime:
        """The first instant after it."""
        return self.begin + (HOUR if self.from_id is not None else HOURS * HOUR)


def chunks_of(day: date) -> list[list[Chunk]]:
    """All chunks of a day; those that are sealed in one transaction are together."""
    floors = [floor_of(begin_of(day) + hour * HOUR) for hour in range(HOURS + 1)]
    return [
        *([Chunk(day, name, low, high) for name in HOURLY] for low, high in pairwise(floors)),
        [Chunk(day, name) for name in DAILY],
    ]


def begin_of(day: date) -> datetime:
    """Midnight (UTC)."""
    return datetime.combine(day, time(), UTC)
