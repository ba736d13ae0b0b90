"""Messages and triggers that can't be read are kept here with the reason, so that nothing unread is ever dropped."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from ajo_worker.ledger.columns import columns

MOST_BYTES = 65_536
"""Bytes of a body that are kept."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """What couldn't be read; ``headers`` is JSON."""

    received_at: datetime
    queue: str
    reason: str
    headers: str
    body: bytes
    body_bytes: int
    worker: UUID


WRITE = """
    INSERT INTO ledger.quarantine (received_at, queue, reason, headers, body, body_bytes, worker)
    SELECT received_at, queue, reason, headers::jsonb, body, body_bytes, worker
    FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::int4[], $7::uuid[])
        AS q(received_at, queue, reason, headers, body, body_bytes, worker)
"""


def quarantined(
    body: bytes, *, reason: str, queue: str, headers: dict[str, Any], received_at: datetime, worker: UUID
) -> Quarantined:
    """A bounded row for what couldn't be read. Headers keep only what is plain text, a number or nothing."""
    plain = {
        str(name)[:100]: value[:500] if isinstance(value, str) else value
        for name, value in list(headers.items())[:50]
        if value is None or isinstance(value, str | int | float | bool)
    }
    text = msgspec.json.encode(plain).decode().replace("\\u0000", "")
    return Quarantined(received_at, queue[:200], reason[:500], text, body[:MOST_BYTES], len(body), worker)


async def write(connection: asyncpg.Connection, rows: Sequence[Quarantined]) -> list[None]:
    """Write rows; a repetition may write one twice, which is harmless here."""
    await connection.execute(WRITE, *columns(rows, Quarantined))
    return [None] * len(rows)
