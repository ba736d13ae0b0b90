"""Permits of the rate limits, given out in blocks to all workers by one row each, and what 429s leave of a rate."""

from contextlib import suppress
from dataclasses import dataclass, field

import asyncpg

from ajo_worker.ledger.shared_connection import Connect, SharedConnection

# A block follows the last one, or begins now; never far ahead, whatever became of the database's clock. A limit that a
# 429 slowed down gives fewer permits in the same time, and grows back evenly. One statement and no transaction around
# it: whoever is frozen in the middle of one must not keep the row from all others.
LEASE = """
    INSERT INTO ledger.rate_limits AS l (scope, next_at)
    VALUES ($1, now() + make_interval(secs => $2))
    ON CONFLICT (scope) DO UPDATE
    SET next_at = least(greatest(l.next_at, now()), now() + make_interval(secs => $4 * $2))
            + make_interval(secs => $2 / least(
                1, l.share + coalesce(greatest(extract(epoch FROM now() - l.slowed_at)::float8, 0) / $3, 1)))
    RETURNING extract(epoch FROM next_at - clock_timestamp())::float8 AS left,
              least(1, share + coalesce(greatest(extract(epoch FROM now() - slowed_at)::float8, 0) / $3, 1)) AS kept
"""
MOST_AHEAD = 200.0
"""Blocks that are given out ahead of time at most."""
SLOW_DOWN = """
    INSERT INTO ledger.rate_limits AS l (scope, next_at, slowed_at, slowed_since, share)
    VALUES ($1, now(), now(), now(), $4)
    ON CONFLICT (scope) DO UPDATE
    SET slowed_at = now(),
        slowed_since = CASE WHEN l.share + greatest(extract(epoch FROM now() - l.slowed_at)::float8, 0) / $2 < 1
                            THEN l.slowed_since ELSE now() END,
        share = greatest($3, $4 * least(
            1, l.share + coalesce(greatest(extract(epoch FROM now() - l.slowed_at)::float8, 0) / $2, 1)))
    -- One worker's word is enough.
    WHERE l.slowed_at IS NULL OR l.slowed_at < now() - make_interval(secs => 1)
"""
SLOWED = "SELECT scope FROM ledger.rate_limits WHERE slowed_at > now() - make_interval(secs => $1)"

LEAST_SHARE = 0.01


async def lease(connection: asyncpg.Connection, scope: str, seconds: float, recovery: float) -> tuple[float, float]:
    """Take the next block, of so many seconds at the full rate; in how many seconds it ends, and which part (0 to 1)
    of the rate 429s have left.

    ``recovery`` is in how many seconds a limit grows back from nothing.
    """
    [row] = await connection.fetch(LEASE, scope, seconds, recovery, MOST_AHEAD)
    return row["left"], row["kept"]


LOCK_TIMEOUT = "200ms"
"""How long a lease waits for its row on the connection that all have in common; a lease takes a millisecond."""


@dataclass(frozen=True, slots=True)
class Leases:
    """Those of one worker, over one connection.

    A scope whose row somebody keeps locked (a forgotten transaction, a frozen session) is asked for on a connection of
    its own, which ``patient`` makes, until it is had: those of other lanes and campaigns don't wait behind it.
    """

    connection: SharedConnection
    recovery: float
    patient: Connect
    _aside: dict[str, SharedConnection] = field(default_factory=dict)

    async def take(self, scope: str, seconds: float) -> tuple[float, float]:
        """As ``lease``."""

        async def work(connection: asyncpg.Connection) -> tuple[float, float]:
            return await lease(connection, scope, seconds, self.recovery)

        if scope not in self._aside:
            with suppress(asyncpg.LockNotAvailableError):
                return await self.connection.run(work)
            self._aside[scope] = SharedConnection(self.patient)
        block = await self._aside[scope].run(work)
        self._aside.pop(scope).close()
        return block

    def close(self) -> None:
        """Cut all connections."""
        self.connection.close()
        while self._aside:
            self._aside.popitem()[1].close()


async def slow_down(connection: asyncpg.Connection, scope: str, kept: float, recovery: float) -> None:
    """Lower a rate to the part of it that is ``kept``, once a second at most."""
    await connection.execute(SLOW_DOWN, scope, recovery, LEAST_SHARE, kept)


async def slowed(connection: asyncpg.Connection, recovery: float) -> frozenset[str]:
    """Scopes that have not yet grown back."""
    return frozenset(record[0] for record in await connection.fetch(SLOWED, recovery))
