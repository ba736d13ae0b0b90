"""The workers that say in the ledger that they live."""

from collections.abc import Sequence

import asyncpg
from ajo_producers.contract.counted import counted

from ajo_worker.doctor.check import Check, ok, skipped, warning
from ajo_worker.doctor.database_address import address_of
from ajo_worker.doctor.database_wire import opened
from ajo_worker.doctor.settings import Readable
from ajo_worker.ledger.database import DatabaseError

WORKERS = "workers"
NO_LEDGER = skipped(WORKERS, "the ledger can't be read: see database")
ALIVE = """
    SELECT hostname || ':' || pid AS worker FROM ledger.workers w WHERE ledger.lives(w) ORDER BY 1
"""


async def look_at_workers(readable: Readable) -> Check:
    """Which are alive: ``ledger.lives`` says it."""
    address = address_of(readable, WORKERS)
    if isinstance(address, Check):
        return NO_LEDGER
    try:
        async with opened(address.url) as connection:
            rows = await connection.fetch(ALIVE)
    except (DatabaseError, asyncpg.PostgresError):
        return NO_LEDGER
    return judge_workers([row["worker"] for row in rows])


def judge_workers(alive: Sequence[str]) -> Check:
    """Whether there is anybody to send what is published. Pure."""
    if not alive:
        return warning(WORKERS, "none is alive: triggers wait in the broker", "start one: ajo-dispatch worker")
    return ok(WORKERS, f"{counted(len(alive), 'worker')} alive: {', '.join(alive)}")
