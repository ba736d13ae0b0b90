"""What is sealed together: an hour of ids of a big table, or a day of a small one. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID

from msgspec import Struct

HOUR = timedelta(hours=1)
HOURS = 24
STAMP_SHIFT = 80
"""A UUIDv7 begins with 48 bits of milliseconds (RFC 9562, section 5.7)."""


@dataclass(frozen=True, slots=True)
class Relation:
    """Rows of one kind: what is read, in which order, and by which time they are covered.

    ``hourly``: by hours of ids, else by days of ``at``. ``without``: columns that change for good reasons, and are not
    covered. ``round`` and ``attempt`` tell its revisions apart; None where rows are never changed.
    """

    name: str
    rows: str
    key: str
    at: str
    hourly: bool = False
    without: tuple[str, ...] = ()
    revised: tuple[str, str] | None = None


OF_TRIGGER = ("NULL::int2", "NULL::int2")
OF_ATTEMPT = ("t.round", "t.attempt")

RELATIONS = {
    relation.name: relation
    for relation in (
        Relation("triggers", "ledger.triggers t", "t.request_id", "t.received_at", True, revised=OF_TRIGGER),
        Relation(
            "attempts",
            "ledger.attempts t",
            "t.request_id, t.round, t.attempt",
            "t.intended_at",
            True,
            revised=OF_ATTEMPT,
        ),
        # Which trigger it is about may be found later.
        Relation(
            "feedback",
            "ledger.feedback t",
            "t.feedback_id",
            "t.received_at",
            True,
            without=("request_id", "matched_at", "match_due_at", "match"),
        ),
        Relation("triggers_default", "ledger.triggers_default t", "t.request_id", "t.received_at", revised=OF_TRIGGER),
        Relation(
            "attempts_default",
            "ledger.attempts_default t",
            "t.request_id, t.round, t.attempt",
            "t.intended_at",
            revised=OF_ATTEMPT,
        ),
        Relation("operations", "ledger.operations t", "t.operation_id", "t.done_at"),
        Relation(
            "operation_triggers",
            "ledger.operation_triggers t JOIN ledger.operations o USING (operation_id)",
            "t.operation_id, t.request_id",
            "o.done_at",
        ),
        # Its end may come days after its begin; the probe that ended it is covered.
        Relation(
            "outages",
            "ledger.outages t",
            "t.outage_id",
            "t.opened_at",
            without=("ended_at", "ended_by", "recovered_at"),
        ),
        Relation("probes", "ledger.probes t", "t.outage_id, t.probed_at, t.request_id", "t.probed_at"),
        Relation("revisions", "ledger.revisions t", "t.revision_id", "t.changed_at"),
        Relation("removals", "ledger.removals t", "t.removal_id", "t.removed_at"),
    )
}


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
    hourly = [name for name, relation in RELATIONS.items() if relation.hourly]
    daily = [Chunk(day, name) for name, relation in RELATIONS.items() if not relation.hourly]
    return [
        *([Chunk(day, name, low, high) for name in hourly] for low, high in pairwise(floors)),
        daily,
    ]


def minutes_of(chunk: Chunk) -> list[UUID]:
    """The bounds of an hour's minutes: 61 ids. Each minute is digested by itself, so that none fills the memory."""
    return [floor_of(chunk.begin + timedelta(minutes=minute)) for minute in range(61)]


def begin_of(day: date) -> datetime:
    """Midnight (UTC)."""
    return datetime.combine(day, time(), UTC)


def floor_of(moment: datetime) -> UUID:
    """The least id that a UUIDv7 of this moment can have; the same as ``ledger.uuid7_floor``."""
    return UUID(int=(moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1) << STAMP_SHIFT)


def moment_of(request_id: UUID) -> datetime:
    """The moment that a UUIDv7 was made at, to the millisecond."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=request_id.int >> STAMP_SHIFT)
