"""Silences in the ledger: when a destination answered none of a worker's calls."""

from datetime import datetime
from uuid import UUID

import asyncpg

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
