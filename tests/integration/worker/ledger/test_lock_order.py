"""Workers that write rows of the same triggers lock them in one order, so that none has to be cut off by the database.

Each test brings two of them to a halt in the middle: a third holds one row, and lets it go once both wait.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import asyncpg
import pytest
from ajo_worker.ledger.admission import Admission, admit
from ajo_worker.ledger.attempts import Intent, Record, intend, record
from ajo_worker.ledger.ownership import Takeover, take_over
from uuid_utils.compat import uuid7

from tests.integration.worker.ledger.conftest import Connect
from tests.integration.worker.ledger.rows import accepted, admission, after, attempt
from tests.integration.worker.ledger.workers import until, waiting

Write: TypeAlias = Callable[[asyncpg.Connection, list[Admission]], Awaitable[list[bool]]]


def intentions(connection: asyncpg.Connection, triggers: list[Admission]) -> Awaitable[list[bool]]:
    return intend(connection, [Intent(trigger.request_id, 1, 2, after(2), None) for trigger in triggers])


def takeovers(connection: asyncpg.Connection, triggers: list[Admission]) -> Awaitable[list[bool]]:
    me = uuid7()
    rows = [Takeover(trigger.request_id, 1, me, 1, interrupted=True) for trigger in triggers]
    return take_over(connection, rows)


def ends(connection: asyncpg.Connection, triggers: list[Admission]) -> Awaitable[list[bool]]:
    return record(connection, [accepted(trigger) for trigger in triggers])


def attempts(connection: asyncpg.Connection, triggers: list[Admission]) -> Awaitable[list[bool]]:
    return record(connection, [Record(attempt(trigger), None) for trigger in triggers])


@asynccontextmanager
async def held(connection: asyncpg.Connection, table: str, trigger: Admission) -> AsyncIterator[None]:
    """Hold a row's lock for a while."""
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(f"select from ledger.{table} where request_id = $1 for update", trigger.request_id)
    try:
        yield
    finally:
        await transaction.rollback()


async def waits(database_url: str, count: int, or_done: "asyncio.Future[Any] | None" = None) -> None:
    """Wait until so many workers wait for a lock, or one has come through."""

    def halted() -> bool:
        return waiting(database_url) == count or (or_done is not None and or_done.done())

    await until(halted, f"{count} workers wait")


@pytest.mark.parametrize(
    ("table", "one_way", "other_way"),
    [
        ("triggers", intentions, intentions),
        ("triggers", takeovers, takeovers),
        ("triggers", ends, ends),
        ("triggers", intentions, takeovers),
        ("triggers", takeovers, ends),
        ("attempts", attempts, attempts),
    ],
)
async def test_the_same_triggers_in_opposite_orders_do_not_lock_two_workers_against_each_other(
    connect: Connect, database_url: str, table: str, one_way: Write, other_way: Write
) -> None:
    third, one, other = await connect(), await connect(), await connect()
    triggers = [admission() for _ in range(9)]
    await admit(third, triggers)
    if table == "attempts":
        await takeovers(third, triggers)
    async with held(third, table, triggers[4]):
        writes: list[asyncio.Task[Any]] = [
            asyncio.ensure_future(one_way(one, triggers)),
            asyncio.ensure_future(other_way(other, triggers[::-1])),
        ]
        await waits(database_url, 2)
    await asyncio.gather(*writes)


async def test_an_owner_that_answers_late_and_its_successor_do_not_lock_each_other_out(
    connect: Connect, database_url: str
) -> None:
    """The one records an attempt and an end, the other changes the owner and records the same attempt."""
    third, owner, successor = await connect(), await connect(), await connect()
    first, second = triggers = [admission(), admission()]
    await admit(third, triggers)
    async with held(third, "triggers", first):
        late = asyncio.create_task(record(owner, [accepted(trigger) for trigger in triggers]))
        await waits(database_url, 1)
        takeover = asyncio.ensure_future(takeovers(successor, [second]))
        await waits(database_url, 2, or_done=takeover)
    assert await late == [True, True]
    await takeover
    rows = await third.fetch("select state from ledger.triggers union all select outcome from ledger.attempts")
    assert [row[0] for row in rows] == ["accepted"] * 4
