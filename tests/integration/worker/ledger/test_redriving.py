"""Redrives and discards beside workers and beside each other: whole batches, nothing twice, nobody waits."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest
from ajo_worker.ledger.dead_letters import Filter
from ajo_worker.ledger.progress import Outcome, record
from ajo_worker.ledger.redriving import BATCH, PASSES, Authority, Done, LeftOut, Order, Plan, carry_out, plan
from ajo_worker.ledger.resumption import resume
from uuid_utils.compat import uuid7

from tests.integration.worker.ledger.conftest import Connect, Read
from tests.integration.worker.ledger.rows import admission, ending
from tests.integration.worker.ledger.workers import until, waiting
from tests.support.database import query
from tests.support.dead_letters import payload_of, put_letter, put_letters
from tests.support.ledger_rows import ago
from tests.support.waiting import wait_until

REDRIVE, DISCARD = Order("redrive", Filter()), Order("discard", Filter())
BY = Authority("ada", "the campaign is live again")
NOW = "select clock_timestamp()"
STATES = "select state, count(*)::int as n from ledger.triggers group by 1"
OPERATIONS = "select * from ledger.operations order by operation_id"
NOTED = "select request_id, count(*)::int as times from ledger.operation_triggers group by 1"
RESUMES = "select resume_at from ledger.held_payloads where resume_at is not null order by request_id"


def ignore(_: int) -> None:
    """Nobody watches the progress."""


async def no_pause(_: float) -> None:
    """The next pass begins at once."""


async def no_need(_: float) -> None:
    """One pass does all that nobody has locked."""
    raise AssertionError


async def do(connection: asyncpg.Connection, order: Order, at: datetime | None = None) -> tuple[Done, Plan]:
    """Do it to what there is now, or was at a moment."""
    done = Done()
    moment = at or await connection.fetchval(NOW)
    return done, await carry_out(connection, order, moment, BY, done, ignore, no_pause)


async def impatient(connect: Connect) -> asyncpg.Connection:
    """A connection that fails where it would wait for a lock."""
    connection = await connect()
    await connection.execute("set lock_timeout = '1s'")
    return connection


def states(url: str) -> dict[str, int]:
    return {row["state"]: row["n"] for row in query(url, STATES)}


async def test_a_redriven_trigger_is_parked_with_a_new_fence_and_the_operation_says_what_it_was(
    connection: asyncpg.Connection, read: Read, database_url: str
) -> None:
    request_id = put_letter(database_url, round=3, fence=4, state="expired", reason="budget-spent")
    before = await connection.fetchval(NOW)
    done, left = await do(connection, Order("redrive", Filter(reasons=("budget-spent",), since=timedelta(hours=1))))
    (trigger,), (held,) = await read("triggers", request_id), await read("held_payloads", request_id)
    assert {name: trigger[name] for name in ("state", "reason", "completed_at", "fence", "round")} == {
        "state": "parked", "reason": "redrive", "completed_at": None, "fence": 5, "round": 3,
    }  # fmt: skip
    assert (held["reason"], held["resumed_by"], held["payload"]) == ("redrive", None, payload_of(request_id))
    assert before < held["resume_at"]
    (operation,) = query(database_url, OPERATIONS)
    told = ("operation_id", "triggers", "operator", "action", "reason")
    assert [operation[name] for name in told] == [done.operation_id, 1, "ada", "redrive", BY.why]
    chosen = msgspec.json.decode(operation["chosen"])
    assert chosen["reasons"] == ["budget-spent"]
    assert datetime.fromisoformat(chosen["since"]) < before - timedelta(minutes=59)
    (noted,) = await read("operation_triggers", request_id)
    assert (noted["operation_id"], noted["round"], noted["state"]) == (done.operation_id, 3, "expired")
    assert left.kinds == []


async def test_a_worker_takes_it_in_the_next_round_with_its_payload(
    connection: asyncpg.Connection, database_url: str
) -> None:
    request_id, worker = put_letter(database_url), uuid7()
    await do(connection, Order("redrive", Filter(), rate=1_000))
    await connection.execute("select pg_sleep_until(max(resume_at)) from ledger.held_payloads")
    (resumed,) = await resume(connection, ["order-shipped"], 10, worker)
    assert (resumed.request_id, resumed.payload) == (request_id, payload_of(request_id))
    row = await connection.fetchrow("select state, round, owner, fence from ledger.triggers")
    assert tuple(row) == ("sending", 2, worker, 3)


async def test_the_redriven_go_on_one_after_another_at_the_rate_over_all_batches(
    connection: asyncpg.Connection, database_url: str
) -> None:
    put_letters(database_url, [uuid7() for _ in range(BATCH + 100)])
    before = await connection.fetchval(NOW)
    done, _ = await do(connection, Order("redrive", Filter(), rate=4))
    moments = [row["resume_at"] for row in query(database_url, RESUMES)]
    steps = {(later - earlier).total_seconds() for earlier, later in pairwise(moments)}
    assert steps == {0.25}
    assert (moments[0] - before).total_seconds() >= 0.25
    assert done.last_at == moments[-1]


async def test_a_late_batch_goes_on_from_its_own_time_and_never_all_at_once(
    connection: asyncpg.Connection, database_url: str
) -> None:
    """The rate is so high that all moments of the first batch have passed when the second one's turn comes."""
    put_letters(database_url, [uuid7() for _ in range(BATCH + 100)])
    seen: list[datetime] = []

    def wait_for_the_last(_: int) -> None:
        passed = "select max(resume_at) as at from ledger.held_payloads having max(resume_at) < clock_timestamp()"
        seen.append(wait_until(lambda: query(database_url, passed), what="the last moment is over")[0]["at"])
        seen.append(query(database_url, f"{NOW} as at")[0]["at"])

    order = Order("redrive", Filter(), rate=100_000)
    await carry_out(connection, order, await connection.fetchval(NOW), BY, Done(), wait_for_the_last, no_need)
    moments = [row["resume_at"] for row in query(database_url, RESUMES)]
    assert moments[BATCH - 1] == seen[0] < seen[1] < moments[BATCH]


async def test_unconfirmed_and_expired_ones_are_left_out_and_counted(
    connection: asyncpg.Connection, database_url: str
) -> None:
    soon, past = ago(hours=-1), ago(hours=1)
    good = put_letter(database_url, expires_at=soon)
    put_letter(database_url, state="expired", reason="expires-at", expires_at=past)
    doubtful = put_letter(database_url, state="unconfirmed", reason="conflict")
    both = put_letter(database_url, state="unconfirmed", reason="conflict", expires_at=past)
    at = await connection.fetchval(NOW)
    expected: dict[LeftOut, int] = {"expires-at": 2, "unconfirmed": 1}
    planned = await plan(connection, REDRIVE, at)
    assert (planned.letters, planned.left_out) == (1, expected)
    done, left = await do(connection, REDRIVE)
    assert (done.letters, left.letters, left.left_out) == (1, 0, expected)
    done, left = await do(connection, Order("redrive", Filter(), unconfirmed=True))
    assert (done.letters, left.left_out) == (1, {"expires-at": 2})
    noted = query(database_url, "select request_id from ledger.operation_triggers order by operation_id")
    assert [row["request_id"] for row in noted] == [good, doubtful]
    assert msgspec.json.decode(query(database_url, OPERATIONS)[1]["chosen"]) == {"all": True, "unconfirmed": True}
    done, left = await do(connection, DISCARD)
    assert (done.letters, left.kinds) == (2, [])
    assert not query(database_url, "select from ledger.held_payloads where request_id = $1", both)


async def test_a_discard_deletes_the_payload_and_nothing_else(
    connection: asyncpg.Connection, read: Read, database_url: str
) -> None:
    request_id, other = put_letter(database_url), put_letter(database_url, campaign="flash-sale")
    before, attempts = await read("triggers", request_id), await read("attempts", request_id)
    done, _ = await do(connection, Order("discard", Filter(campaigns=("order-shipped",))))
    assert done.letters == 1
    assert await read("triggers", request_id) == before
    assert await read("attempts", request_id) == attempts
    assert await read("held_payloads", request_id) == []
    assert len(await read("held_payloads", other)) == 1
    (operation,) = query(database_url, OPERATIONS)
    assert (operation["action"], operation["triggers"]) == ("discard", 1)
    (noted,) = await read("operation_triggers", request_id)
    assert (noted["state"], noted["round"]) == ("rejected", 1)


@pytest.mark.parametrize("order", [REDRIVE, DISCARD], ids=["redrive", "discard"])
async def test_two_at_once_share_the_work_and_change_nothing_twice(
    connect: Connect, database_url: str, order: Order
) -> None:
    ids = [uuid7() for _ in range(4 * BATCH)]
    put_letters(database_url, ids)
    connections = [await impatient(connect), await impatient(connect)]
    both = await asyncio.gather(*(do(connection, order) for connection in connections))
    assert sum(done.letters for done, _ in both) == len(ids)
    assert all(left.kinds == [] for _, left in both)
    assert {row["request_id"]: row["times"] for row in query(database_url, NOTED)} == dict.fromkeys(ids, 1)
    counted = {row["operation_id"]: row["triggers"] for row in query(database_url, OPERATIONS)}
    assert counted == {done.operation_id: done.letters for done, _ in both if done.letters}
    fences = {row["fence"] for row in query(database_url, "select fence from ledger.triggers")}
    assert fences == ({2} if order is REDRIVE else {1})


async def test_what_was_redriven_and_died_again_meanwhile_is_not_met_a_second_time(
    connection: asyncpg.Connection, database_url: str
) -> None:
    put_letter(database_url)
    at = await connection.fetchval(NOW)
    await do(connection, REDRIVE)
    query(database_url, "update ledger.triggers set state = 'rejected', completed_at = now(), round = 2")
    query(database_url, "update ledger.held_payloads set resume_at = null, held_at = clock_timestamp()")
    done, left = await do(connection, REDRIVE, at)
    assert (done, left.kinds) == (Done(), [])
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

    more, at = Done(), await worker.fetchval(NOW)
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
    late = asyncio.create_task(record(owner, [Outcome(None, ending(trigger, fence=1))]))
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

    done = Done()
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
    done = Done()
    with pytest.raises(asyncpg.CheckViolationError):
        await carry_out(connection, REDRIVE, await connection.fetchval(NOW), BY, done, ignore, no_pause)
    assert done.letters == BATCH
    assert states(database_url) == {"parked": BATCH, "rejected": BATCH}
    assert [row["triggers"] for row in query(database_url, OPERATIONS)] == [BATCH]
    assert len(query(database_url, RESUMES)) == BATCH


async def test_nothing_to_do_leaves_no_operation(connection: asyncpg.Connection, database_url: str) -> None:
    done, left = await do(connection, Order("redrive", Filter(request_ids=(UUID(int=0),))))
    assert (done, left.kinds) == (Done(), [])
    assert query(database_url, OPERATIONS) == []
