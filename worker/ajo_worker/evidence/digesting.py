"""Digesting a chunk's rows, inside the database: as they are, or as they were when it was sealed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import asyncpg

from ajo_worker.evidence.chunks import Chunk

DIGEST = "SELECT rows, later, digest FROM audit.digest($1, $2, $3, $4, $5, $6, $7)"


@dataclass(frozen=True, slots=True)
class AsOf:
    """How rows are seen: only what came before ``covers_until``; of ``open_triggers`` no more than the id.

    Rows that were changed after revision ``revisions`` are seen as they were before.
    """

    covers_until: datetime
    revisions: int
    open_triggers: Sequence[UUID] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Digested:
    """What came of it: ``later`` rows are there, and not covered."""

    rows: int
    later: int
    digest: bytes


async def digest(connection: asyncpg.Connection, chunk: Chunk, view: AsOf) -> Digested:
    """Digest a chunk's rows; whatever the settings of the connection are, it comes to the same."""
    [row] = await connection.fetch(
        DIGEST,
        chunk.relation,
        chunk.day,
        chunk.from_id,
        chunk.to_id,
        view.covers_until,
        view.revisions,
        list(view.open_triggers),
    )
    return Digested(**row)
