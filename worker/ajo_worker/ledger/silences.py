"""Silences in the ledger: when a destination answered none of a worker's calls."""

from datetime import datetime
from uuid import UUID

import asyncpg
from msgspec import Struct

BEGIN = """
    INSERT INTO ledger.silences (worker, scope, lane, began_at, calls)
    VALUES ($1, $2, $3, clock_timestamp() - make_interval(secs => $4), $5)
    RETURNING began_at
"""
END = """
    UPDATE ledger.silences SET ended_at = greatest(began_at, clock_timestamp() - make_interval(secs => $4))
    WHERE worker = $1 AND scope = $2 AND began_at = $3 AND ended_at IS NULL
"""
END_ALL = "UPDATE ledger.silences SET ended_at = clock_timestamp() WHERE worker = $1 AND ended_at IS NULL"
LASTING = """
    SELECT scope, lane, count(*) AS workers, min(began_at) AS began_at, max(seconds) AS seconds, sum(calls) AS calls
    FROM audit.silences WHERE lasts GROUP BY scope, lane ORDER BY scope
"""


class Silence(Struct, frozen=True):
    """A destination that answers nothing now; ``calls`` were open when it began, to so many ``workers``."""

    scope: str
    lane: str
    workers: int
    began_at: datetime
    seconds: float
    calls: int


async def begin(
    connection: asyncpg.Connection, worker: UUID, scope: str, lane: str, ago: float, calls: int
) -> datetime:
    """Note that a silence began so many seconds ago, by the clock of the ledger: that instant is its name."""
    began: datetime = await connection.fetchval(BEGIN, worker, scope, lane, ago, calls)
    return began


async def end(connection: asyncpg.Connection, worker: UUID, scope: str, began_at: datetime, ago: float) -> None:
    """Note that it ended so many seconds ago."""
    await connection.execute(END, worker, scope, began_at, ago)


async def end_all(connection: asyncpg.Connection, worker: UUID) -> None:
    """The worker stops, and listens no more."""
    await connection.execute(END_ALL, worker)


async def lasting(connection: asyncpg.Connection) -> list[Silence]:
    """The silences of living workers."""
    return [Silence(**row) for row in await connection.fetch(LASTING)]
