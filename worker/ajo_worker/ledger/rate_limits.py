"""Permits of the rate limits, given out in blocks to all workers by one row each."""

from datetime import datetime

import asyncpg

# A block follows the last one, or begins now. A limit that a 429 slowed down gives fewer permits in the same time, and
# grows back evenly. now() is the statement's own, so that the excluded row's instant is exactly one block away.
LEASE = """
    INSERT INTO ledger.rate_limits AS l (scope, next_at)
    VALUES ($1, now() + make_interval(secs => $2))
    ON CONFLICT (scope) DO UPDATE
    SET next_at = greatest(l.next_at, now()) + make_interval(secs => $2 / least(
            1, l.share + coalesce(extract(epoch FROM now() - l.slowed_at)::float8 / $3, 1)))
    RETURNING next_at
"""
SLOW_DOWN = """
    INSERT INTO ledger.rate_limits AS l (scope, next_at, slowed_at, share)
    VALUES ($1, now(), now(), $4)
    ON CONFLICT (scope) DO UPDATE
    SET slowed_at = now(),
        share = greatest($3, $4 * least(
            1, l.share + coalesce(extract(epoch FROM now() - l.slowed_at)::float8 / $2, 1)))
    -- One worker's word is enough.
    WHERE l.slowed_at IS NULL OR l.slowed_at < now() - make_interval(secs => 1)
"""
SLOWED = "SELECT scope FROM ledger.rate_limits WHERE slowed_at > now() - make_interval(secs => $1)"

LEAST_SHARE = 0.01


async def lease(connection: asyncpg.Connection, scope: str, seconds: float, recovery: float) -> datetime:
    """Take the next block, of so many seconds at the full rate; returns when it ends.

    ``recovery`` is in how many seconds a limit grows back from nothing.
    """
    async with connection.transaction():
        await connection.execute("SET LOCAL synchronous_commit = off")  # forgotten by a crash, it is leased again
        ends: datetime = await connection.fetchval(LEASE, scope, seconds, recovery)
    return ends


async def slow_down(connection: asyncpg.Connection, scope: str, kept: float, recovery: float) -> None:
    """Lower a rate to the part of it that is ``kept``, once a second at most."""
    await connection.execute(SLOW_DOWN, scope, recovery, LEAST_SHARE, kept)


async def slowed(connection: asyncpg.Connection, recovery: float) -> frozenset[str]:
    """Scopes that have not yet grown back."""
    return frozenset(record[0] for record in await connection.fetch(SLOWED, recovery))
