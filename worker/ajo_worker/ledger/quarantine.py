"""What is not sent is on record: what can't be read, with its bytes, and copies with other content than the first.

So nothing is ever dropped unread, and no key stands for two messages without a word.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import asyncpg
import msgspec
from ajo_producers.contract.storable import storable

from ajo_worker.ledger.many_rows import columns

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


@dataclass(frozen=True, slots=True)
class DifferingCopy:
    """A copy whose trigger the ledger knows with other recipients or other content: only the first is ever sent."""

    request_id: UUID
    content_digest: bytes
    received_at: datetime
    enqueued_at: datetime
    campaign: str
    producer: str
    trace_id: str | None
    batch_id: UUID
    recipients: int
    recipient_hashes: str | None
    worker: UUID


SetAside: TypeAlias = Quarantined | DifferingCopy

# What comes again is the same row, counted.
WRITE_COPIES = """
    INSERT INTO ledger.differing_copies AS d
        (request_id, content_digest, first_seen_at, last_seen_at, copies, enqueued_at, campaign, producer, trace_id,
         batch_id, recipients, recipient_hashes, worker)
    SELECT request_id, content_digest, min(received_at), max(received_at), count(*), min(enqueued_at), min(campaign),
           min(producer), min(trace_id), (array_agg(batch_id))[1], min(recipients),
           (array_agg(recipient_hashes))[1]::bytea[], (array_agg(worker))[1]
    FROM unnest($1::uuid[], $2::bytea[], $3::timestamptz[], $4::timestamptz[], $5::text[], $6::text[], $7::text[],
                $8::uuid[], $9::int2[], $10::text[], $11::uuid[])
        AS o(request_id, content_digest, received_at, enqueued_at, campaign, producer, trace_id, batch_id, recipients,
             recipient_hashes, worker)
    GROUP BY request_id, content_digest ORDER BY request_id, content_digest
    ON CONFLICT (request_id, content_digest) DO UPDATE
    SET copies = d.copies + excluded.copies, last_seen_at = greatest(d.last_seen_at, excluded.last_seen_at)
"""


def quarantined(
    body: bytes, *, reason: str, queue: str, headers: dict[str, object], received_at: datetime, worker: UUID
) -> Quarantined:
    """A bounded row for what couldn't be read. Headers keep only what is plain text, a number or nothing."""
    plain = {
        storable(str(name)[:100]): storable(value[:500]) if isinstance(value, str) else value
        for name, value in list(headers.items())[:50]
        if value is None or isinstance(value, str | int | float | bool)
    }
    told = msgspec.json.encode(plain).decode()
    return Quarantined(
        received_at, storable(queue[:200]), storable(reason[:500]), told, body[:MOST_BYTES], len(body), worker
    )


async def write(connection: asyncpg.Connection, rows: Sequence[SetAside]) -> list[None]:
    """Write rows; a repetition may write one twice, or count it twice, which is harmless here."""
    if unread := [row for row in rows if isinstance(row, Quarantined)]:
        await connection.execute(WRITE, *columns(unread, Quarantined))
    if copies := [row for row in rows if isinstance(row, DifferingCopy)]:
        await connection.execute(WRITE_COPIES, *columns(copies, DifferingCopy))
    return [None] * len(rows)
