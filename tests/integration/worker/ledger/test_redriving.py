"""What a redrive and a discard change of a dead letter, and which ones they leave out."""

from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

import asyncpg
import msgspec
from ajo_worker.deadletters.choosing import Filter
from ajo_worker.deadletters.redriving import BATCH, CarriedOut, LeftOut, Order, carry_out, plan
from ajo_worker.outages.resumption import resume
from uuid_utils.compat import uuid7

from tests.integration.worker.ledger.conftest import Read
from tests.integration.worker.ledger.orders import BY, DISCARD, NOW, OPERATIONS, REDRIVE, RESUMES, do, no_need
from tests.support.database import query
from tests.support.dead_letters import payload_of, put_letter, put_letters
from tests.support.ledger_rows import ago
from tests.support.waiting import wait_until


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
    (resumed,) = await resume(connection, [("order-shipped", "")], 10, worker)
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
    await carry_out(connection, order, await connection.fetchval(NOW), BY, CarriedOut(), wait_for_the_last, no_need)
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


async def test_nothing_to_do_leaves_no_operation(connection: asyncpg.Connection, database_url: str) -> None:
    done, left = await do(connection, Order("redrive", Filter(request_ids=(UUID(int=0),))))
    assert (done, left.kinds) == (CarriedOut(), [])
    assert query(database_url, OPERATIONS) == []
