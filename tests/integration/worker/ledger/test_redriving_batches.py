"""Redrives and discards beside workers and beside each other: whole batches, nothing twice, nobody waits."""

import asyncio
from collections import Counter
from typing import Any

import asyncpg
import pytest
from ajo_worker.deadletters.choosing import Filter
from ajo_worker.deadletters.redriving import CarriedOut, Order, carry_out
from ajo_worker.ledger.attempts import Record, record
from ajo_worker.ledger.passes import BATCH, PASSES
from uuid_utils.compat import uuid7

from tests.integration.worker.ledger.conftest import Connect
from tests.integration.worker.ledger.orders import (
    BY,
    DISCARD,
    NOW,
    OPERATIONS,
    REDRIVE,
    RESUMES,
    do,
    ignore,
    no_need,
    no_pause,
    states,
)
from tests.integration.worker.ledger.rows import admission, ending
from tests.integration.worker.ledger.workers import until, waiting
from tests.support.database import query
from tests.support.dead_letters import put_letter, put_letters

NOTED = "select request_id, count(*)::int as times from ledger.operation_triggers group by 1"


async def impatient(connect: Connect) -> asyncpg.Connection:
    """A connection that fails where it would wait for a lock."""
    connection = await connect()
    await connection.execute("set lock_timeout = '1s'")
    return connection


@pytest.mark.parametrize("order", [REDRIVE, DISCARD], ids=["redrive", "discard"])
async def test_two_at_once_share_the_work_and_change_nothing_twice(
    connect: Connect, database_url: str, order: Order
) -> None:
    ids = [uuid7() for _ in range(4 * BATCH)]
    put_letters(database_url, ids)
    connections = [await impatient(connect), await impatient(connect)]
    both = await asyncio.gather(*(do(connection, order) for connection in connections))
    assert sum(done.letters for done, _ in both) == len(ids)
    assert any(left.kinds == [] for _, left in both), "who ends first may see the other's last ones, not committed yet"
    assert {row["request_id"]: row["times"] for row in query(database_url, NOTED)} == dict.fromkeys(ids, 1)
    counted = {row["operation_id"]: row["triggers"] for row in query(database_url, OPERATIONS)}
    assert counted == {done.operation_id: done.letters for done, _ in both if done.letters}
    fences = {row["fence"] for row in query(database_url, "select fence from ledger.triggers")}
    assert fences == ({2} if order is REDRIVE else {1})
    done, left = await do(connections[0], order)
    assert (done, left.kinds) == (CarriedOut(), [])


async def test_what_was_redriven_and_died_again_meanwhile_is_not_met_a_second_time(
    connection: asyncpg.Connection, database_url: str
) -> None:
    put_letter(database_url)
    at = await connection.fetchval(NOW)
    await do(connection, REDRIVE)
    query(database_url, "update ledger.triggers set state = 'rejected', completed_at = now(), round = 2")
    query(database_url, "update ledger.held_payloads set resume_at = null, held_at = clock_timestamp()")
    done, left = await do(connection, REDRIVE, at)
    assert (done, left.kinds) == (CarriedOut(), [])
    done, _ = await do(connection, REDRIVE)
    assert done.letters == 1, "a redrive that begins now takes it"


@pytest.mark.parametrize("table", ["triggers", "held_payloads"])
async def test_what_somebody_has_locked_is_never_waited_for_and_taken_once_it_is_free(
    connect: Connect, database_url: str, table: str
) -> None:
    ids = [put_letter(database_url) for _ in range(3)]
    worker = await connect()
    await worker.execute("begin")
    await worker.execute(f"select from ledger.{table} where request_id = $1 for update", ids[1])
    done, left = await do(await impatient(connect), REDRIVE)
    assert (done.letters, left.letters) == (2, 1)
    pauses: list[float] = []

    async def free(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == PASSES - 1:
            await worker.execute("rollback")

    more, at = CarriedOut(), await worker.fetchval(NOW)
    left = await carry_out(await impatient(connect), REDRIVE, at, BY, more, ignore, free)
    assert (more.letters, left.kinds, len(pauses)) == (1, [], PASSES - 1)
    assert states(database_url) == {"parked": 3}


@pytest.mark.parametrize("order", [REDRIVE, DISCARD], ids=["redrive", "discard"])
async def test_a_late_acceptance_and_an_operator_lock_nobody_out_and_the_acceptance_wins(
    connect: Connect, database_url: str, order: Order
) -> None:
    """The 202 of a worker that was taken for dead comes just then: it waits for the operator, not in a circle."""
    request_id = put_letter(database_url, state="unconfirmed", reason="budget-spent", fence=2)
    order = Order(order.action, Filter(), unconfirmed=True)
    trigger = admission(request_id=request_id)
    operator, owner = await connect(), await connect()
    transaction = operator.transaction()
    await transaction.start()
    await operator.execute("select from ledger.triggers where request_id = $1 for update", request_id)
    late = asyncio.create_task(record(owner, [Record(None, ending(trigger, fence=1))]))
    await until(lambda: waiting(database_url) == 1, "the late acceptance waits")
    done, _ = await do(operator, order)
    await transaction.commit()
    assert await late == [True]
    assert done.letters == 1
    assert states(database_url) == {"accepted": 1}
    assert not query(database_url, "select from ledger.held_payloads")


async def test_a_batch_is_a_transaction_and_progress_is_told_after_each(
    connection: asyncpg.Connection, connect: Connect, database_url: str
) -> None:
    ids = sorted(uuid7() for _ in range(2 * BATCH + 1))
    put_letters(database_url, ids)
    told: list[tuple[int, Counter[Any]]] = []

    def watch(letters: int) -> None:
        counts = {row["operation_id"]: row["triggers"] for row in query(database_url, OPERATIONS)}
        told.append((letters, Counter({**states(database_url), "counted": sum(counts.values())})))

    done = CarriedOut()
    await carry_out(connection, REDRIVE, await connection.fetchval(NOW), BY, done, watch, no_need)
    assert [letters for letters, _ in told] == [BATCH, 2 * BATCH, 2 * BATCH + 1]
    for letters, seen in told:
        assert (seen["parked"], seen["counted"]) == (letters, letters)
    assert done.operation_id is not None


async def test_a_batch_that_fails_changes_nothing_of_it_and_leaves_the_ones_before(
    connection: asyncpg.Connection, database_url: str
) -> None:
    ids = sorted(uuid7() for _ in range(2 * BATCH))
    put_letters(database_url, ids)
    query(
        database_url,
        f"alter table ledger.operation_triggers add check (request_id <> '{ids[BATCH + 7]}'::uuid)",
    )
    done = CarriedOut()
    with pytest.raises(asyncpg.CheckViolationError):
        await carry_out(connection, REDRIVE, await connection.fetchval(NOW), BY, done, ignore, no_pause)
    assert done.letters == BATCH
    assert states(database_url) == {"parked": BATCH, "rejected": BATCH}
    assert [row["triggers"] for row in query(database_url, OPERATIONS)] == [BATCH]
    assert len(query(database_url, RESUMES)) == BATCH
