"""Upkeep: partitions are ahead of time, and every definition that a worker ran with is on record."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from ajo_producers.campaigns.definition import Definition
from ajo_worker.ledger import partitions, schema, upkeep
from ajo_worker.ledger.admission import admit
from ajo_worker.ledger.attempts import Intent, intend
from ajo_worker.ledger.database import DatabaseError
from ajo_worker.ledger.retention import Ages
from ajo_worker.ledger.upkeep import Upkeep
from structlog.testing import capture_logs
from uuid_utils.compat import uuid7

from tests.integration.worker.ledger.conftest import Connect
from tests.integration.worker.ledger.rows import admission, after, refused
from tests.integration.worker.ledger.workers import until, waiting
from tests.support.database import query
from tests.support.definitions import ORDER_SHIPPED, definition
from tests.support.waiting import DEADLINE_SECONDS

AGES = Ages(dead_letters=30, rows=400, reports=800)
DEFINITIONS = "select * from ledger.campaigns order by first_loaded_at"


def partition(days: int) -> str:
    """The name of the partition of a day from today, without its table's."""
    return f"{datetime.now(UTC) + timedelta(days=days):%Y%m%d}"


async def kept_up(url: str, worker: UUID, *definitions: Definition) -> None:
    """One round of upkeep by a worker, waited for by its mark on the definitions."""
    before = query(url, "select count(*)::int as n from ledger.campaigns where loaded_by = $1", worker)[0]["n"]
    round_of = Upkeep(lambda: asyncpg.connect(url), worker, definitions, AGES)
    round_of.start()
    marked = "select count(*)::int as n from ledger.campaigns where loaded_by = $1"
    await until(lambda: query(url, marked, worker)[0]["n"] > before, "the round of upkeep")
    await round_of.stop()


async def test_missing_partitions_are_made_two_weeks_ahead(database_url: str) -> None:
    for name in (f"triggers_{partition(14)}", f"attempts_{partition(14)}", f"triggers_{partition(-1)}"):
        query(database_url, f"drop table ledger.{name}")
    await kept_up(database_url, uuid7(), ORDER_SHIPPED)
    sql = "select relname from pg_class where relname = any($1::text[]) and relispartition"
    names = [f"{table}_{partition(days)}" for table in ("triggers", "attempts") for days in range(-1, 15)]
    assert len(query(database_url, sql, names)) == len(names)


async def test_payloads_of_old_dead_letters_are_deleted_and_no_others(database_url: str) -> None:
    old, new, parked, resumed = [refused(state=state) for state in ("rejected", "expired", "parked", "parked")]
    connection = await asyncpg.connect(database_url)
    await admit(connection, [old, new, parked, resumed])
    await connection.execute(
        "update ledger.held_payloads set held_at = now() - interval '31 days' where request_id <> $1", new.request_id
    )
    await connection.execute(
        "update ledger.held_payloads set resume_at = now() where request_id = $1", parked.request_id
    )
    await connection.execute(
        "update ledger.held_payloads set resumed_by = $1 where request_id = $2", uuid7(), resumed.request_id
    )
    await connection.close()
    await kept_up(database_url, uuid7(), ORDER_SHIPPED)
    kept = {row["request_id"] for row in query(database_url, "select request_id from ledger.held_payloads")}
    assert kept == {new.request_id, parked.request_id, resumed.request_id}


@asynccontextmanager
async def reading(url: str) -> AsyncIterator[None]:
    """Somebody reads everything for long."""
    reader = await asyncpg.connect(url)
    try:
        await reader.execute("begin; select from ledger.triggers; select from ledger.attempts")
        yield
    finally:
        await reader.close()


@pytest.fixture
async def backup(database_url: str) -> AsyncIterator[None]:
    """Somebody does, after a partition went missing."""
    query(database_url, f"drop table ledger.triggers_{partition(14)}")
    async with reading(database_url):
        yield


async def test_new_partitions_never_keep_workers_waiting_behind_somebody_who_reads_for_long(
    connect: Connect, database_url: str, backup: None
) -> None:
    """What waits to lock a reader out has everybody else wait behind itself: it must not wait for long."""
    maker, worker = await connect(), await connect()
    trigger = admission()
    await admit(worker, [trigger])
    day = datetime.now(UTC).date() + timedelta(days=14)
    making = asyncio.create_task(maker.fetch(partitions.MAKE, "triggers", day))
    await until(lambda: waiting(database_url) == 1, "the new partition waits for the reader")
    async with asyncio.timeout(DEADLINE_SECONDS):
        assert await intend(worker, [Intent(trigger.request_id, 1, 2, after(1), None)]) == [True]
        with pytest.raises(asyncpg.LockNotAvailableError):
            await making


async def test_what_one_table_has_to_wait_for_holds_no_other_up_and_no_upkeep_and_is_tried_again_without_a_word(
    database_url: str,
) -> None:
    for table in ("triggers", "attempts", "deliveries"):
        query(database_url, f"drop table ledger.{table}_{partition(13)}")
    query(database_url, f"drop table ledger.deliveries_{partition(14)}")
    round_of = Upkeep(lambda: asyncpg.connect(database_url), uuid7(), [ORDER_SHIPPED], AGES)
    connection = await asyncpg.connect(database_url)
    with capture_logs() as logs:
        async with reading(database_url):
            await round_of.work(connection)
    await connection.close()
    made = [entry["partitions"] for entry in logs if entry["event"] == "partitions-made"]
    assert made == [[f"deliveries_{partition(13)}", f"deliveries_{partition(14)}"]]
    assert not [entry for entry in logs if entry["log_level"] not in {"info", "debug"}]
    assert round_of.pause(failed=False) == upkeep.AGAIN
    assert len(query(database_url, DEFINITIONS)) == 1


async def test_partitions_that_are_held_up_until_few_days_are_left_are_told(database_url: str) -> None:
    for name in (f"feedback_{partition(1)}", f"attempts_{partition(2)}", f"triggers_{partition(14)}"):
        query(database_url, f"drop table ledger.{name}")
    connection = await asyncpg.connect(database_url)
    with capture_logs() as logs:
        async with reading(database_url):
            await Upkeep(lambda: asyncpg.connect(database_url), uuid7(), [], AGES).work(connection)
    await connection.close()
    [told] = [entry for entry in logs if entry["log_level"] == "warning"]
    assert (told["event"], told["tables"], told["days"]) == ("partitions-held-up", ["attempts", "triggers"], 2)


async def test_each_partition_is_made_in_a_transaction_of_its_own(database_url: str) -> None:
    """Else what was locked for one is kept while another one is waited for, in whatever order workers lock them."""
    tables = ("triggers", "attempts", "deliveries")
    for table in tables:
        query(database_url, f"drop table ledger.{table}_{partition(13)}")
    connection = await asyncpg.connect(database_url)
    made = (await partitions.make_partitions(connection)).partitions
    await connection.close()
    assert len(made) == len(tables)
    sql = "select count(distinct xmin::text)::int as n from pg_class where relname = any($1::text[])"
    assert query(database_url, sql, made)[0]["n"] == len(tables)


async def test_an_upgrade_that_cannot_make_partitions_says_why(database_url: str, backup: None) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        with pytest.raises(DatabaseError, match=r"^database 'test_\w+' .* is being read for long \(a backup\?\)"):
            await schema.upgrade(database_url, print)


async def test_a_definition_is_recorded_once_however_many_workers_run_with_it(database_url: str) -> None:
    first, second = uuid7(), uuid7()
    await kept_up(database_url, first, ORDER_SHIPPED)
    (row,) = query(database_url, DEFINITIONS)
    assert (row["name"], row["campaign_id"], row["lane"]) == (
        "order-shipped",
        ORDER_SHIPPED.campaign_id,
        "standard",
    )
    assert json.loads(row["definition"])["endpoint"] == ORDER_SHIPPED.endpoint
    await kept_up(database_url, second, definition())
    (again,) = query(database_url, DEFINITIONS)
    assert (again["digest"], again["first_loaded_at"]) == (row["digest"], row["first_loaded_at"])
    assert (row["loaded_by"], again["loaded_by"]) == (first, second)
    assert again["last_loaded_at"] > row["last_loaded_at"]


async def test_a_changed_definition_is_a_row_of_its_own(database_url: str) -> None:
    await kept_up(database_url, uuid7(), ORDER_SHIPPED)
    await kept_up(database_url, uuid7(), definition(sandbox="stage"))
    old, new = query(database_url, DEFINITIONS)
    assert old["name"] == new["name"]
    assert old["digest"] != new["digest"]
    assert [json.loads(row["definition"])["sandbox"] for row in (old, new)] == ["prod", "stage"]


async def test_workers_that_start_together_do_not_hold_each_other_up(database_url: str) -> None:
    definitions = [definition(name=f"campaign-{number}") for number in range(20)]
    begun: list[asyncpg.Connection] = []

    async def connect() -> asyncpg.Connection:
        begun.append(await asyncpg.connect(database_url))
        return begun[-1]

    keepers = [Upkeep(connect, uuid7(), definitions, AGES) for _ in range(4)]
    with capture_logs() as logs:
        for keeper in keepers:
            keeper.start()
        await until(lambda: len(begun) == 4 and all(one.is_closed() for one in begun), "four rounds of upkeep")
        await asyncio.gather(*(keeper.stop() for keeper in keepers))
    assert "upkeep-failed" not in {log["event"] for log in logs}, logs
    assert len(query(database_url, DEFINITIONS)) == 20


@pytest.mark.parametrize("fault", [OSError(), asyncpg.InternalClientError("x"), RuntimeError("never seen before")])
async def test_upkeep_that_fails_is_tried_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    monkeypatch.setattr(upkeep, "AGAIN", 0.01)
    faults: list[Any] = [fault, fault]

    async def connect() -> asyncpg.Connection:
        if faults:
            raise faults.pop()
        return await asyncpg.connect(database_url)

    keeper = Upkeep(connect, uuid7(), [ORDER_SHIPPED], AGES)
    keeper.start()
    await until(lambda: query(database_url, DEFINITIONS), "the definitions")
    await keeper.stop()
