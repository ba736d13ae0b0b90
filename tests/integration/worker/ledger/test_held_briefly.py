"""Whoever is frozen within a commit keeps nobody from what it has locked for long: the server ends its transaction."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

import asyncpg
import pytest
from ajo_worker.feedback.writing import Writing
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.ledger.database import READER, connect
from ajo_worker.ledger.ledger import PLANNER, Ledger
from ajo_worker.ledger.retention import Ages

Connect = Callable[[str], Awaitable[asyncpg.Connection]]


def ledger(url: str) -> Ledger:
    beats, ages = {"heartbeat": 2.0, "owner_timeout": 15.0, "budget": 60.0}, Ages(30, 400, 800)
    return Ledger(lambda: url, uuid4(), LedgerClock(), [], ages=ages, lanes=(), **beats)


@pytest.mark.parametrize(
    ("opened", "seconds"),
    [
        (lambda url: ledger(url).connect(), "8s"),
        (lambda url: ledger(url).connect_shared(), "8s"),
        (lambda url: Writing(lambda: url)._connect(), "8s"),
        (lambda url: connect(url, PLANNER), "8s"),
        (lambda url: connect(url, READER), "0"),
    ],
    ids=["a worker's", "what workers share", "the receiver of feedback", "a command", "a command that only reads"],
)
async def test_every_connection_that_writes_lets_go_of_what_it_locks(
    database_url: str, opened: Connect, seconds: str
) -> None:
    connection = await opened(database_url)
    try:
        assert await connection.fetchval("show idle_in_transaction_session_timeout") == seconds
    finally:
        await connection.close()


async def test_a_beat_that_waits_for_its_row_ends_by_itself_before_its_worker_gives_it_up(database_url: str) -> None:
    """Else each one would leave a session behind, for as long as a synchronous standby keeps the first from its end."""
    connection = await ledger(database_url).liveness._connect()
    try:
        assert await connection.fetchval("show lock_timeout") == "7500ms"
    finally:
        await connection.close()
