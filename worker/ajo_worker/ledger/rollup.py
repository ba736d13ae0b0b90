"""Minutes are rolled up as they pass: what reports of a day read instead of every trigger."""

from collections.abc import Awaitable, Callable

import asyncpg
import structlog

from ajo_worker.ledger.recurring import Recurring

log = structlog.get_logger("ajo_worker.ledger")

EVERY = 20.0
"""Seconds between rounds; a round with nothing due costs one query."""
MOST_AT_ONCE = 30
"""Minutes that are computed in a round at most: a backlog is caught up with in several."""

# One worker of all: the others find it busy, and look again later.
CLAIM = "SELECT pg_try_advisory_lock(hashtextextended('ajo-dispatch: roll-up', 0))"
DUE_MINUTES = "SELECT * FROM ledger.due_minutes($1)"
ROLL_UP = "SELECT ledger.roll_up($1)"
FAILED = """
    INSERT INTO ledger.rollup_failures (minute, fault) VALUES ($1, $2)
    ON CONFLICT (minute) DO UPDATE SET failed_at = excluded.failed_at, fault = excluded.fault
"""
DUE_HOURS = "SELECT * FROM ledger.due_hours($1)"
ROLL_UP_HOUR = "SELECT ledger.roll_up_hour($1)"


async def roll_up(connection: asyncpg.Connection, most: int = MOST_AT_ONCE) -> int:
    """Compute what is due, each minute in a transaction of its own; returns how many minutes, of ``most`` at most.

    0 too if another one is at it. The claim goes with the connection. A minute that can't be computed, for a row that
    is not what it must be, is put on record, and keeps no other minute from being computed.
    """
    if not await connection.fetchval(CLAIM):
        return 0
    minutes = [row[0] for row in await connection.fetch(DUE_MINUTES, most)]
    for minute in minutes:
        try:
            await connection.execute(ROLL_UP, minute)
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as fault:
            log.error("rollup-minute-failed", minute=minute.isoformat(), fault=type(fault).__name__)  # noqa: TRY400 - its text quotes rows
            await connection.execute(FAILED, minute, type(fault).__name__)
    if len(minutes) < most:  # otherwise hours would be summed up to no avail
        for row in await connection.fetch(DUE_HOURS, most):
            await connection.execute(ROLL_UP_HOUR, row[0])
    return len(minutes)


class Rollup(Recurring):
    """Rolls up what is due; reports are late without it, and nothing else."""

    def __init__(self, connect: Callable[[], Awaitable[asyncpg.Connection]]) -> None:
        super().__init__(connect, name="ledger-rollup", failed="rollup-failed", log=log)

    async def work(self, connection: asyncpg.Connection) -> None:
        """What is due now."""
        await roll_up(connection)

    def pause(self, *, failed: bool | None) -> float:  # noqa: ARG002 - always the same
        """The first time too: nothing is due when a worker starts."""
        return EVERY
