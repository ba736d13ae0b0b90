"""Retention: what is old enough goes, what is younger or still needed stays, and nobody waits for it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from ajo_producers.contract.timed_ids import floor_of
from ajo_worker.evidence.chunks import begin_of
from ajo_worker.ledger.admission import admit
from ajo_worker.ledger.retention import BATCH, Ages, Tidied, tidy
from uuid_utils.compat import uuid7

from tests.integration.worker.ledger.conftest import Connect
from tests.integration.worker.ledger.rows import admission
from tests.integration.worker.ledger.workers import until, waiting
from tests.support.database import query
from tests.support.ledger_rows import ago, put_attempt, put_trigger, put_worker
from tests.support.waiting import DEADLINE_SECONDS

AGES = Ages(dead_letters=30, rows=100, reports=200)
TABLES = ("attempts", "deliveries", "feedback", "triggers")
OLD, OLDER, KEPT = 101, 150, 99
"""Days ago."""


def day(ago: int) -> date:
    return datetime.now(UTC).date() - timedelta(days=ago)


def partitions(url: str) -> set[str]:
    sql = (
        "select relname from pg_class where relnamespace = 'ledger'::regnamespace and relispartition and relkind = 'r'"
    )
    return {row["relname"] for row in query(url, sql)}


def names(*days_ago: int) -> set[str]:
    return {f"{table}_{day(days):%Y%m%d}" for table in TABLES for days in days_ago}


def foreign() -> UUID:
    """An id that is no UUIDv7, and by no chance looks like one of these days."""
    return UUID(int=uuid4().int | 0xFF << 120)


def put(url: str, days: int, request_id: UUID | None = None) -> UUID:
    """An accepted trigger of a day, with its attempt."""
    at = begin_of(day(days)) + timedelta(hours=12)
    request_id = request_id or UUID(int=floor_of(at).int | uuid4().int >> 64)
    put_trigger(url, at, request_id=request_id, state="accepted", completed_at=at)
    put_attempt(url, request_id, 1, at)
    return request_id


@pytest.fixture
def past(database_url: str) -> str:
    """A ledger with partitions and rows of old days."""
    for days in (OLDER, OLD, KEPT):
        query(database_url, "select ledger.make_partitions($1, $1)", day(days))
        put(database_url, days)
    return database_url


async def tidied(connection: asyncpg.Connection) -> Tidied:
    done = await tidy(connection, AGES)
    assert done is not None
    return done


async def test_old_days_are_dropped_oldest_first_and_others_stay(past: str, connection: asyncpg.Connection) -> None:
    before = partitions(past)
    done = await tidied(connection)
    assert set(done.partitions) == names(OLDER, OLD)
    assert done.partitions == sorted(done.partitions, key=lambda name: name[-8:])
    assert partitions(past) == before - names(OLDER, OLD)
    assert len(query(past, "select * from ledger.triggers")) == 1
    assert (await tidied(connection)) == Tidied()


async def test_every_drop_is_on_record(past: str, connection: asyncpg.Connection) -> None:
    await tidied(connection)
    rows = query(past, "select relation, day from ledger.removals")
    assert {f"{row['relation']}_{row['day']:%Y%m%d}" for row in rows} == names(OLDER, OLD)


async def test_a_day_with_a_payload_that_is_still_held_stays_whole(past: str, connection: asyncpg.Connection) -> None:
    held = query(past, "select request_id from ledger.triggers order by 1 limit 1")[0]["request_id"]
    query(
        past,
        "insert into ledger.held_payloads (request_id, held_at, resume_at, round, campaign, reason, payload)"
        " values ($1, now(), now(), 1, 'order-shipped', 'held', '{}')",
        held,
    )
    done = await tidied(connection)
    assert set(done.partitions) == names(OLD) | {f"feedback_{day(OLDER):%Y%m%d}"}
    query(past, "delete from ledger.held_payloads")
    assert set((await tidied(connection)).partitions) == names(OLDER) - {f"feedback_{day(OLDER):%Y%m%d}"}


@pytest.fixture
async def reader(past: str) -> AsyncIterator[asyncpg.Connection]:
    """Somebody who reads for long, such as a backup."""
    connection = await asyncpg.connect(past)
    await connection.execute("begin; select from ledger.triggers; select from ledger.attempts")
    yield connection
    await connection.close()


async def test_writers_go_on_while_a_long_reader_holds_a_drop_up_and_the_next_round_does_it(
    past: str, connect: Connect, reader: asyncpg.Connection
) -> None:
    tidier, worker = await connect(), await connect()
    before = partitions(past)
    tidying = asyncio.create_task(tidied(tidier))
    await until(lambda: waiting(past) == 1, "the drop waits for the reader")
    async with asyncio.timeout(DEADLINE_SECONDS):
        assert await admit(worker, [admission()]) == [None]
        done = await tidying
    assert done.held_up
    assert partitions(past) == before
    await reader.execute("commit")
    done = await tidied(tidier)
    assert not done.held_up
    assert partitions(past) == before - names(OLDER, OLD)


async def test_writers_go_on_while_days_are_dropped(past: str, connect: Connect) -> None:
    tidier, worker = await connect(), await connect()
    written: list[Any] = []
    over = asyncio.Event()

    async def write() -> None:
        while not over.is_set():
            written.extend(await admit(worker, [admission()]))

    writing = asyncio.create_task(write())
    await until(lambda: written, "a first row")
    done = await tidied(tidier)
    so_far = len(written)
    await until(lambda: len(written) > so_far, "a row after the drop")
    over.set()
    await writing
    assert set(done.partitions) == names(OLDER, OLD)
    assert len(query(past, "select 1 from ledger.triggers where state = 'sending'")) == len(written)


async def test_old_rows_of_default_partitions_are_deleted_in_batches(
    database_url: str, connection: asyncpg.Connection
) -> None:
    of_a_kept_day = UUID(int=floor_of(begin_of(day(KEPT))).int | 7 << 76)  # received before: its id is ahead
    kept = [put(database_url, KEPT, foreign()), put(database_url, 0, foreign()), put(database_url, OLD, of_a_kept_day)]
    insert = """
        insert into ledger.triggers (request_id, batch_id, enqueued_at, received_at, recipients, campaign, lane, state,
                                     producer)
        select ('ffff' || substr(gen_random_uuid()::text, 5))::uuid, gen_random_uuid(), $1, $1, 1, 'order-shipped',
               'standard', 'accepted', 'shop'
        from generate_series(1, $2::int)
    """
    query(database_url, insert, ago(days=OLD), 2 * BATCH + 1)
    old = put(database_url, OLD, foreign())
    query(
        database_url,
        "insert into ledger.deliveries (request_id, updated_at, departures, deliveries, failures, delays,"
        " arrival_stamped, match, last_status) values ($1, $2, 1, 0, 0, 0, false, 'request-id', 'sent')",
        old,
        ago(days=OLD),
    )
    done = await tidied(connection)
    assert done.rows == {"triggers_default": 2 * BATCH + 2, "attempts_default": 1, "deliveries_default": 1}
    for table in ("triggers", "attempts"):
        rows = query(database_url, f"select request_id from ledger.{table}")
        assert {row["request_id"] for row in rows} == set(kept)
    removals = query(database_url, "select relation, day from ledger.removals")
    assert {row["relation"] for row in removals} == set(done.rows)
    assert {row["day"] for row in removals} == {day(AGES.rows + 1)}


async def test_figures_are_kept_longer_and_what_operators_did_for_good(
    database_url: str, connection: asyncpg.Connection
) -> None:
    clock = "insert into ledger.producer_clocks values ($1, 1, 0, 0, 0, 'shop')"
    for days in (AGES.reports + 1, AGES.reports - 1):
        query(database_url, clock, ago(days=days))
    for table, columns in {
        "operations (done_at, triggers, operator, action, reason, chosen)": "$1, 0, 'ada', 'hold', 'why', '{}'",
        "outages (opened_at, ended_at, scope, reason, opened_by, evidence)": "$1, $1, 'campaign:x', 'held', 'x', '{}'",
    }.items():
        query(database_url, f"insert into ledger.{table} values ({columns})", ago(days=2000))
    assert (await tidied(connection)).rows == {"producer_clocks": 1}
    assert len(query(database_url, "select 1 from ledger.operations union all select 1 from ledger.outages")) == 2


async def test_workers_that_were_last_heard_of_long_ago_are_forgotten(
    database_url: str, connection: asyncpg.Connection
) -> None:
    put_worker(database_url, heartbeat_at=ago(days=OLD), stopped_at=ago(days=OLD))
    put_worker(database_url, heartbeat_at=ago(days=OLD))
    alive, stopped = put_worker(database_url), put_worker(database_url, heartbeat_at=ago(days=KEPT))
    assert (await tidied(connection)).rows == {"workers": 2}
    assert {row["worker_id"] for row in query(database_url, "select * from ledger.workers")} == {alive, stopped}


async def test_of_quarantined_messages_the_bodies_go_first(database_url: str, connection: asyncpg.Connection) -> None:
    put_item = """
        insert into ledger.quarantine (received_at, worker, body_bytes, queue, reason, headers, body)
        values ($1, $2, 3, 'q', 'unreadable', '{"x": 1}', 'ada')
    """
    for days in (OLD, AGES.dead_letters + 1, AGES.dead_letters - 1):
        query(database_url, put_item, ago(days=days), uuid7())
    assert (await tidied(connection)).rows == {"quarantine": 1, "quarantine, emptied": 1}
    rows = query(database_url, "select body, headers from ledger.quarantine order by received_at")
    assert [(row["body"], row["headers"]) for row in rows] == [(b"", None), (b"ada", '{"x": 1}')]


async def test_only_one_tidies_at_a_time(past: str, connect: Connect) -> None:
    first = await connect()
    await first.execute("select pg_advisory_lock(hashtextextended('ajo-dispatch: retention', 0))")
    assert await tidy(await connect(), AGES) is None


async def test_the_last_days_can_not_be_dropped_by_mistake(database_url: str) -> None:
    with pytest.raises(asyncpg.RaiseError, match="never dropped"):
        query(database_url, "select ledger.drop_oldest_partition($1)", day(0))


async def test_a_worker_needs_to_own_nothing_to_drop_old_days(past: str, connection: asyncpg.Connection) -> None:
    """The rights of docs/ledger.md are enough."""
    role = f"dispatch_{uuid4().hex[:12]}"
    query(past, f"create role {role}")
    try:
        query(past, f"grant usage on schema ledger to {role}")
        query(past, f"grant select, insert, update, delete on all tables in schema ledger to {role}")
        put(past, OLD, foreign())
        await connection.execute(f"set role {role}")
        done = await tidied(connection)
        await connection.execute("reset role")
        assert set(done.partitions) == names(OLDER, OLD)
        assert done.rows["triggers_default"] == 1
    finally:
        query(past, f"drop owned by {role}")
        query(past, f"drop role {role}")
