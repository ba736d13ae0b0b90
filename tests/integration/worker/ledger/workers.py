"""Parts of a worker that run against a test's database."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.ledger.ledger import Ledger
from ajo_worker.ledger.liveness import Liveness
from ajo_worker.ledger.retention import Ages
from uuid_utils.compat import uuid7

from tests.support.database import query
from tests.support.waiting import DEADLINE_SECONDS, wait_until

HEARTBEAT, OWNER_TIMEOUT = 0.05, 5.0


async def until(condition: Callable[[], Any], what: str) -> Any:
    """Wait for a condition while the loop goes on; the condition runs in a thread."""
    return await asyncio.to_thread(wait_until, condition, what=what)


def waiting(url: str) -> int:
    """How many connections to a database wait for a lock."""
    sql = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    return len(query(url, sql))


def worker_row(url: str, worker_id: UUID) -> dict[str, Any]:
    """The worker's row in the ledger; empty without one."""
    rows = query(url, "select * from ledger.workers where worker_id = $1", worker_id)
    return rows[0] if rows else {}


@asynccontextmanager
async def beating(
    url: str, clock: LedgerClock, worker_id: UUID, *, owner_timeout: float = OWNER_TIMEOUT
) -> AsyncIterator[Liveness]:
    """A heart that beats, and is stopped afterwards."""
    heart = Liveness(
        worker_id,
        lambda: asyncpg.connect(url, timeout=DEADLINE_SECONDS),
        clock,
        every=HEARTBEAT,
        owner_timeout=owner_timeout,
        budget=60,
        lanes=["standard"],
        definitions={},
    )
    heart.start()
    try:
        yield heart
    finally:
        await heart.stop()


def ledger_of(url: str, worker_id: UUID | None = None) -> Ledger:
    """A ledger that is not started yet."""
    return Ledger(
        lambda: url,
        worker_id or uuid7(),
        LedgerClock(),
        [],
        heartbeat=HEARTBEAT,
        budget=60,
        lanes=["standard"],
        owner_timeout=OWNER_TIMEOUT,
        ages=Ages(30, 400, 800),
    )
