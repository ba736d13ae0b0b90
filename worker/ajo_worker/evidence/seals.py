"""Seals in the ledger: reading the chain, and adding to it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from ajo_worker.evidence.chain import FIRST, Link, Seal, chained, key_id_of
from ajo_worker.evidence.chunks import Chunk
from ajo_worker.evidence.digesting import AsOf, digest
from ajo_worker.ledger.database import DatabaseError

GRACE = timedelta(hours=1)
"""What came in the last hour is not covered: a row is written a little after its ``received_at``, or after an outage of
the database."""

COLUMNS = """
    digest_id, sealed_at, covers_until, revisions, rows, day, relation, from_id, to_id, key_id, cause, open_triggers,
    decode(digest, 'hex') AS digest, decode(previous, 'hex') AS previous, decode(chain, 'hex') AS chain
"""
ALL = f"SELECT {COLUMNS} FROM audit.digests ORDER BY digest_id"  # noqa: S608 - our own text
NEWEST = f"""
    SELECT DISTINCT ON (day, relation, from_id) {COLUMNS} FROM audit.digests
    ORDER BY day, relation, from_id, digest_id DESC
"""  # noqa: S608 - our own text
HEAD = f"SELECT {COLUMNS} FROM audit.digests ORDER BY digest_id DESC LIMIT 1"  # noqa: S608 - our own text
APPEND = """
    INSERT INTO ledger.digests
        (sealed_at, covers_until, revisions, rows, day, relation, from_id, to_id, key_id, cause, open_triggers, digest,
         previous, chain)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
"""
OPEN = """
    SELECT request_id FROM ledger.triggers
    WHERE request_id >= $1 AND request_id < $2 AND state IN ('sending', 'parked') ORDER BY 1
"""
OPEN_DEFAULT = """
    SELECT request_id FROM ledger.triggers_default
    WHERE received_at < $1 AND state IN ('sending', 'parked') ORDER BY 1
"""
MARK = "SELECT coalesce(max(revision_id), 0) AS revisions, now() AS at FROM ledger.revisions"
ONE_CLOSER = "hashtextextended('ajo-dispatch: evidence', 0)"
REVISIONS = "hashtextextended('ajo-dispatch: ledger.revisions', 0)"


def link_of(row: asyncpg.Record) -> Link:
    """A row of audit.digests."""
    values = dict(row)
    digest_id, previous, chain = (values.pop(name) for name in ("digest_id", "previous", "chain"))
    return Link(digest_id, Seal(**values), previous, chain)


async def all_links(connection: asyncpg.Connection) -> list[Link]:
    """The whole chain: about 80 seals a day."""
    return [link_of(row) for row in await connection.fetch(ALL)]


async def newest_seals(connection: asyncpg.Connection) -> dict[Chunk, Seal]:
    """The newest seal of everything that was ever sealed."""
    seals = (link_of(row).seal for row in await connection.fetch(NEWEST))
    return {seal.chunk: seal for seal in seals}


async def head(connection: asyncpg.Connection) -> Link | None:
    """The end of the chain; None if nothing was sealed yet."""
    row = await connection.fetchrow(HEAD)
    return link_of(row) if row else None


@asynccontextmanager
async def only_closer(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """Be the only one who adds to the chain.

    Raises:
        DatabaseError: somebody else does.
    """
    if not await connection.fetchval(f"SELECT pg_try_advisory_lock({ONE_CLOSER})"):
        raise DatabaseError("another 'ajo-dispatch audit close' is at work on this ledger: wait for its end")
    try:
        yield
    finally:
        if not connection.is_closed():
            await connection.fetchval(f"SELECT pg_advisory_unlock({ONE_CLOSER})")


async def lock_revisions(connection: asyncpg.Connection) -> bool:
    """Keep everybody from revising rows; False while somebody does. Never waits: others would wait behind it."""
    return bool(await connection.fetchval(f"SELECT pg_try_advisory_lock({REVISIONS})"))


async def unlock_revisions(connection: asyncpg.Connection) -> None:
    """Let them go on."""
    await connection.fetchval(f"SELECT pg_advisory_unlock({REVISIONS})")


async def append(
    connection: asyncpg.Connection, chunks: Sequence[Chunk], cause: str, covers_until: datetime, key: bytes
) -> list[Seal]:
    """Seal chunks as they are in this transaction's snapshot, taken while revisions were locked.

    ``covers_until`` is the same for all.
    """
    [mark] = await connection.fetch(MARK)
    latest = await head(connection)
    previous = latest.chain if latest else FIRST
    opened = await _open(connection, chunks[0])
    seals = []
    for chunk in chunks:
        of_triggers = opened if chunk.relation.startswith(("triggers", "attempts")) else []
        view = AsOf(covers_until, mark["revisions"], of_triggers)
        found = await digest(connection, chunk, view)
        seal = Seal(
            sealed_at=mark["at"],
            covers_until=covers_until,
            revisions=view.revisions,
            rows=found.rows,
            day=chunk.day,
            relation=chunk.relation,
            from_id=chunk.from_id,
            to_id=chunk.to_id,
            key_id=key_id_of(key),
            cause=cause,
            open_triggers=list(view.open_triggers),
            digest=found.digest,
        )
        chain = chained(previous, seal, key)
        values = [getattr(seal, name) for name in seal.__struct_fields__]
        await connection.execute(APPEND, *values, previous, chain)
        previous = chain
        seals.append(seal)
    return seals


async def _open(connection: asyncpg.Connection, chunk: Chunk) -> list[UUID]:
    if chunk.from_id is not None:
        rows = await connection.fetch(OPEN, chunk.from_id, chunk.to_id)
    else:
        rows = await connection.fetch(OPEN_DEFAULT, chunk.end)
    return [row["request_id"] for row in rows]
