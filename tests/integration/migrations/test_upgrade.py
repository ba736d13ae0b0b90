"""Migrations go up from nothing, down to nothing, and up again; in a hurry, twice, and two at a time."""

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event

import asyncpg
import pytest
from ajo_local.postgres import Postgres
from ajo_worker.ledger import partitions, schema
from ajo_worker.ledger.database import DatabaseError

from tests.support import programs
from tests.support.database import query
from tests.support.waiting import DEADLINE_SECONDS, wait_until

MIGRATIONS_LOCK = "select pg_advisory_lock(hashtextextended('ajo-dispatch: migrations', 0))"

OWN = "nspname !~ '^pg_' and nspname <> 'information_schema'"
OBJECTS = f"""
    select 'schema' as kind, nspname::text as name from pg_namespace where {OWN} and nspname <> 'public'
    union all select relkind::text, relname::text from pg_class join pg_namespace n on n.oid = relnamespace where {OWN}
    union all select 'function', proname::text from pg_proc join pg_namespace n on n.oid = pronamespace where {OWN}
    union all select 'type', typname::text from pg_type join pg_namespace n on n.oid = typnamespace where {OWN}
    order by 1, 2
"""


def hold(url: str, gate: Event) -> None:
    """Hold the lock of all migrations until the gate opens."""

    async def held() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(MIGRATIONS_LOCK)
            await asyncio.to_thread(gate.wait)
        finally:
            await connection.close()

    asyncio.run(held())


def objects(url: str) -> list[tuple[str, str]]:
    """Everything in a database that isn't PostgreSQL's own."""
    return [(row["kind"], row["name"]) for row in query(url, OBJECTS)]


async def test_an_empty_database_gets_the_whole_ledger_and_says_what_was_done(empty_database_url: str) -> None:
    said: list[str] = []
    assert await schema.current(empty_database_url) is None
    made = await schema.upgrade(empty_database_url, said.append)
    assert await schema.current(empty_database_url) == schema.newest()
    assert said[0].startswith("applied 0001: ")
    assert len(made) == len(set(made)) == 4 * (partitions.DAYS_BEHIND + partitions.DAYS_AHEAD + 1)


async def test_going_down_to_base_leaves_nothing_and_up_again_gives_the_same_schema(empty_database_url: str) -> None:
    said: list[str] = []
    before = objects(empty_database_url)
    await schema.upgrade(empty_database_url, said.append)
    whole = objects(empty_database_url)
    await schema.downgrade(empty_database_url, "base", said.append)
    assert objects(empty_database_url) == before
    assert await schema.current(empty_database_url) is None
    assert said[-1].startswith("took back 0001: ")
    await schema.upgrade(empty_database_url, said.append)
    assert objects(empty_database_url) == whole


async def test_a_ledger_with_triggers_goes_down_too(database_url: str) -> None:
    insert = """
        insert into ledger.triggers (request_id, batch_id, enqueued_at, received_at, recipients, campaign, lane, state,
                                     producer)
        values (gen_random_uuid(), gen_random_uuid(), now(), now(), 1, 'order-shipped', 'standard', 'sending', 'shop')
    """
    query(database_url, insert)
    await schema.downgrade(database_url, "base", lambda _: None)
    assert objects(database_url) == []


async def test_a_second_upgrade_changes_nothing(database_url: str) -> None:
    said: list[str] = []
    before = objects(database_url)
    assert await schema.upgrade(database_url, said.append) == []
    assert said == []
    assert objects(database_url) == before


def test_upgrades_at_the_same_time_wait_for_one_another_and_each_thing_is_done_once(empty_database_url: str) -> None:
    """Three commands, as three containers that start together; all of them are let go at the same moment."""
    waiting = "select 1 from pg_locks where locktype = 'advisory' and not granted"
    with ThreadPoolExecutor(4) as threads:
        gate = Event()
        holding = threads.submit(hold, empty_database_url, gate)
        commands = [
            threads.submit(programs.run, "db", "upgrade", env={"AJO_DATABASE_URL": empty_database_url})
            for _ in range(3)
        ]
        try:
            wait_until(lambda: len(query(empty_database_url, waiting)) == 3, what="three upgrades wait for the lock")
        finally:
            gate.set()
        holding.result()
        done = [command.result() for command in commands]
    assert [command.code for command in done] == [0, 0, 0], done
    said = "".join(command.out for command in done)
    assert said.count("applied 0001") == 1
    assert said.count("made 64 partitions") == 1
    assert said.count("made ") == 1
    assert said.count("waiting for another process that migrates this database: ") >= 3


async def test_an_upgrade_waits_for_whoever_makes_partitions_however_long_and_says_for_whom(database_url: str) -> None:
    """Not for 2 s only, after which it gives up behind a reader: on a busy machine partitions take longer than that."""
    query(database_url, f"drop table ledger.triggers_{datetime.now(UTC) + timedelta(days=9):%Y%m%d}")
    other = await asyncpg.connect(database_url, server_settings={"application_name": "ajo-dispatch 01a2"})
    said: asyncio.Queue[str] = asyncio.Queue()
    transaction = other.transaction()
    await transaction.start()
    await other.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", partitions.LOCK)
    upgrade = asyncio.create_task(schema.upgrade(database_url, said.put_nowait))
    async with asyncio.timeout(DEADLINE_SECONDS):
        line = await said.get()
        assert not upgrade.done()
        await transaction.rollback()
        made = await upgrade
    await other.close()
    assert line.startswith(
        "waiting for another process that makes partitions: ajo-dispatch 01a2 (PostgreSQL's process "
    )
    assert len(made) == 1


@pytest.mark.parametrize("direction", ["up", "down"])
async def test_a_schema_of_a_newer_version_is_left_alone_and_the_error_says_what_to_do(
    database_url: str, direction: str
) -> None:
    query(database_url, "update ledger.alembic_version set version_num = '9999'")
    before = objects(database_url)
    way = schema.upgrade(database_url, print) if direction == "up" else schema.downgrade(database_url, "base", print)
    with pytest.raises(DatabaseError) as refused:
        await way
    for part in ("database 'test_", "9999", schema.newest(), "newer version of ajo-dispatch"):
        assert part in str(refused.value)
    assert await schema.current(database_url) == "9999"
    assert objects(database_url) == before


async def test_an_unknown_migration_to_go_back_to_is_named(database_url: str) -> None:
    with pytest.raises(DatabaseError, match="'0815'"):
        await schema.downgrade(database_url, "0815", print)
    assert await schema.current(database_url) == schema.newest()


async def test_a_migration_that_fails_leaves_nothing_behind(
    session_postgres: Postgres, empty_database_url: str
) -> None:
    """A role that may create nothing gets a clear error, and the database stays as it was."""
    role, password = f"reader_{secrets.token_hex(6)}", secrets.token_hex(12)
    name = empty_database_url.rpartition("/")[2]
    query(empty_database_url, f"create role {role} login password '{password}'")
    try:
        url = session_postgres.url_of(name).replace(f"ajo:{session_postgres.password}", f"{role}:{password}")
        with pytest.raises(DatabaseError, match="permission denied") as refused:
            await schema.upgrade(url, print)
        assert password not in str(refused.value)
        assert objects(empty_database_url) == []
    finally:
        query(empty_database_url, f"drop role {role}")
