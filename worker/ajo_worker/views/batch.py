"""The triggers of one message: ``ajo-dispatch status BATCH_ID``, the id that Flower shows of its task."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
from ajo_producers.contract.timed_ids import EPOCH, MILLISECOND, milliseconds_at, milliseconds_of
from msgspec import Struct

# No index holds the batch: it would cost every trigger. A message comes soon after it was made, so the block range
# index on received_at bounds what is read.
FIND = """
    SELECT request_id, campaign, lane, producer, state, reason, round, attempts, possible_duplicate, recipients,
           enqueued_at, received_at, completed_at
    FROM audit.triggers WHERE received_at >= $1 AND received_at < $2 AND batch_id = $3
    ORDER BY request_id
"""
QUARANTINED = "SELECT quarantine_id FROM audit.quarantine WHERE message_id = $1 ORDER BY 1"
BEFORE = timedelta(hours=1)
"""By how much a producer's clock may be ahead of the ledger's."""
STEP = timedelta(days=1)
WITHOUT_TIME = timedelta(days=7)
"""How far back a batch is looked for whose id tells no time."""


class BatchTrigger(Struct, frozen=True):
    """One trigger of it; ``attempts`` are those of its current round."""

    request_id: UUID
    campaign: str
    lane: str
    producer: str
    state: str
    reason: str | None
    round: int
    attempts: int
    possible_duplicate: bool
    recipients: int
    enqueued_at: datetime
    received_at: datetime
    completed_at: datetime | None


class RecordedBatch(Struct, frozen=True):
    """A message as the ledger has it: its triggers, and the numbers of what of it is in quarantine."""

    batch_id: UUID
    triggers: list[BatchTrigger]
    quarantined: list[int]


def begin_of(batch_id: UUID, now: datetime) -> datetime:
    """From when on a batch is looked for. Pure."""
    if batch_id.version != 7:  # noqa: PLR2004 - RFC 9562's number for ids that begin with their time
        return now - WITHOUT_TIME
    made = min(milliseconds_of(batch_id), milliseconds_at(now))  # whoever makes ids may tell the year 10889
    return EPOCH + made * MILLISECOND - BEFORE


def stretches(begin: datetime, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Begin and end of what is looked through at a time, the last one's after ``now``: a day, then twice as much each
    time, since an id may tell the year 1970. Pure."""
    step = STEP
    while begin <= now:
        yield begin, begin + step
        begin, step = begin + step, 2 * step


async def batch(connection: asyncpg.Connection, batch_id: UUID) -> RecordedBatch | None:
    """The batch; None if the ledger knows nothing of it.

    It is looked for in one ``stretches`` after the other, up to that in which a trigger of it was received: a part of
    a message that came again after a worker's death is of the same day, or of the next minutes.
    """
    now: datetime = await connection.fetchval("SELECT clock_timestamp()")
    found: list[BatchTrigger] = []
    for begin, end in stretches(begin_of(batch_id, now), now):
        found = [BatchTrigger(**row) for row in await connection.fetch(FIND, begin, end + BEFORE, batch_id)]
        if found:
            break
    quarantined = [row["quarantine_id"] for row in await connection.fetch(QUARANTINED, batch_id)]
    return RecordedBatch(batch_id, found, quarantined) if found or quarantined else None
