"""Minutes are rolled up as they pass: what reports of a day read instead of every trigger."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import structlog

log = structlog.get_logger("ajo_worker.ledger")

EVERY = 20.0
"""Seconds between rounds; a round with nothing due costs one query."""
MOST_AT_ONCE = 30
"""Minutes that are computed in a round at most: a backlog is caught up with in several."""

# One worker of all: the others find it busy, and look again later.
CLAIM = "SELECT pg_try_advisory_lock(hashtextextended('ajo-dispatch: roll-up', 0))"
DUE_MINUTES = "SELECT * FROM ledger.due_minutes($1)"
ROLL_UP = "SELECT ledger.roll_up($1)"
DUE_HOURS = "SELECT * FROM ledger.due_hours($1)"
ROLL_UP_HOUR = "SELECT ledger.roll_up_hour($1)"


async def roll_up(connection: asyncpg.Connection, most: int = MOST_AT_ONCE) -> int:
    """Compute what is due, each minute in a transaction of its own; returns how many minutes, of ``most`` at most.

    0 too if another one is at it. The claim goes with the connection.
    """
    if not await connection.fetchval(CLAIM):
        return 0
    minutes = [row[0] for row in await connection.fetch(DUE_MINUTES, most)]
    for minute in minutes:
        await connection.execute(ROLL_UP, minute)
    if len(minutes) < most:  # otherwise hours would be summed up to no avail
        for row in await connection.fetch(DUE_HOURS, most):
            await connection.execute(ROLL_UP_HOUR, row[0])
    return len(minutes)


class Rollup:
    """Runs on the worker's loop, on a connection of its own that is open only while it works."""

    def __init__(self, connect: Callable[[], Awaitable[asyncpg.Connection]]) -> None:
        self._connect = connect
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; needs a running event loop."""
        self._task = asyncio.create_task(self._run(), name="ledger-rollup")

    async def stop(self) -> None:
        """Stop at once: a minute that is not computed is computed by another worker, or later."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self._once()
            except Exception as fault:  # noqa: BLE001 - reports are late without it, and nothing else
                log.warning("rollup-failed", fault=type(fault).__name__)

    async def _once(self) -> None:
        connection = await self._connect()
        try:
            await roll_up(connection)
        finally:
            connection.terminate()
