"""Which triggers were for one recipient, who is known by a keyed hash alone."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
from msgspec import Struct

# No index holds the hashes: it would cost every trigger, for a question that is asked now and then. The block range
# index on received_at bounds what is read; the newest day comes first.
FIND = "SELECT * FROM audit.for_recipient($3, $1, $2, $4, $5)"
STEP = timedelta(days=1)


class FoundTrigger(Struct, frozen=True):
    """A trigger for the recipient, who may be one of several."""

    request_id: UUID
    received_at: datetime
    campaign: str
    lane: str
    state: str
    reason: str | None
    round: int
    recipients: int
    possible_duplicate: bool
    execution_id: str | None


class RecipientFound(Struct, frozen=True):
    """Newest first. ``more``: the search ended at its limit, and older ones may be there."""

    recipient_hash: str
    since: datetime
    more: bool
    triggers: list[FoundTrigger]


async def find_recipient(
    connection: asyncpg.Connection,
    digest: bytes,
    *,
    since: timedelta,
    campaign: str | None,
    most: int,
    progress: Callable[[int], None],
) -> RecipientFound:
    """Look for up to ``most`` triggers, a day at a time; ``progress`` is told how many days were looked at."""
    now: datetime = await connection.fetchval("SELECT clock_timestamp()")
    begin, end = now - since, now + STEP
    triggers: list[FoundTrigger] = []
    days = 0
    while end > begin and len(triggers) <= most:
        start = max(begin, end - STEP)
        rows = await connection.fetch(FIND, start, end, digest, campaign, most + 1 - len(triggers))
        triggers += [FoundTrigger(**row) for row in rows]
        end, days = start, days + 1
        progress(days)
    return RecipientFound(digest.hex(), begin, len(triggers) > most, triggers[:most])
