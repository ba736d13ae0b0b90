"""Reading the quarantine: what couldn't be read, newest first, and one item whole."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct


class Item(Struct, frozen=True):
    """A message or trigger in quarantine. Its body isn't here: it may hold whatever somebody sent."""

    quarantine_id: int
    received_at: datetime
    queue: str
    reason: str
    body_bytes: int
    kept_bytes: int
    worker: UUID
    headers: dict[str, object]


class Quarantine(Struct, frozen=True):
    """Items since ``since``: how many for each reason, and the newest of them."""

    since: datetime
    items: int
    reasons: dict[str, int]
    newest: list[Item]


REASONS = """
    SELECT reason, count(*) AS items FROM ledger.quarantine WHERE received_at >= $1 GROUP BY 1 ORDER BY 2 DESC, 1
"""
COLUMNS = (
    "quarantine_id, received_at, queue, reason, body_bytes, octet_length(body) AS kept_bytes, worker, headers::text"
)
NEWEST = f"""
    SELECT {COLUMNS} FROM ledger.quarantine WHERE received_at >= $1 ORDER BY quarantine_id DESC LIMIT $2
"""  # noqa: S608 - built from the names above
ONE = f"SELECT {COLUMNS}, body FROM ledger.quarantine WHERE quarantine_id = $1"  # noqa: S608 - as above


async def quarantine(connection: asyncpg.Connection, since: timedelta, most: int) -> Quarantine:
    """The newest ``most`` items of a while, and the counts of all of them."""
    begin = await connection.fetchval("SELECT now()") - since
    reasons = {row["reason"]: row["items"] for row in await connection.fetch(REASONS, begin)}
    newest = [_item(row) for row in await connection.fetch(NEWEST, begin, most)]
    return Quarantine(begin, sum(reasons.values()), reasons, newest)


async def quarantined_item(connection: asyncpg.Connection, quarantine_id: int) -> tuple[Item, bytes] | None:
    """One item with the bytes that were kept of it; None if there is none."""
    row = await connection.fetchrow(ONE, quarantine_id)
    return None if row is None else (_item(row), row["body"])


def _item(row: asyncpg.Record) -> Item:
    names: Sequence[str] = [name for name in Item.__struct_fields__ if name != "headers"]
    headers = msgspec.json.decode(row["headers"] or "{}", type=dict[str, object])
    return Item(**{name: row[name] for name in names}, headers=headers)
