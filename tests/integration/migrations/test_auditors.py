"""The role ajo_auditor: it reads the schema audit, and nothing else."""

import secrets
from collections.abc import AsyncIterator

import asyncpg
import pytest
from ajo_local.postgres import Postgres
from ajo_worker.ledger import schema

from tests.support.alert_rows import DESTINATION, put_outage
from tests.support.database import query
from tests.support.ledger_rows import ago, put_trigger, put_worker

VIEWS = """
    select relname from pg_class where relnamespace = 'audit'::regnamespace and relkind in ('v', 'm', 'r', 'p')
    order by 1
"""
TABLES = """
    select relname, relkind from pg_class where relnamespace = 'ledger'::regnamespace and relkind in ('r', 'p', 'v')
"""
FUNCTIONS = "select proname from pg_proc where pronamespace = 'ledger'::regnamespace"
RIGHTS = """
    select has_schema_privilege('ajo_auditor', 'audit', 'USAGE') as used,
           has_schema_privilege('ajo_auditor', 'audit', 'CREATE') as created,
           has_schema_privilege('ajo_auditor', 'ledger', 'USAGE') as ledger
"""
EXISTS = "select rolcanlogin, rolsuper, rolcreaterole from pg_roles where rolname = 'ajo_auditor'"


@pytest.fixture
async def auditor(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection with no rights but the auditor's."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("set role ajo_auditor")
    yield connection
    await connection.close()


async def test_every_view_of_audit_can_be_read(auditor: asyncpg.Connection, database_url: str) -> None:
    views = [row["relname"] for row in query(database_url, VIEWS)]
    assert {"triggers", "attempts", "digests", "revisions", "alerts"} <= set(views)
    for view in views:
        await auditor.fetch(f"select * from audit.{view} limit 1")


INFINITE = "select v::text from audit.{} as v where v::text like '%infinity%'"


async def test_no_view_shows_an_infinite_instant_which_many_clients_cant_read(
    auditor: asyncpg.Connection, database_url: str
) -> None:
    """While a worker lives, another has died, and an outage lasts: their stretches have no end yet, or no begin."""
    put_worker(database_url)
    put_worker(database_url, heartbeat_at=ago(minutes=10), lanes=["standard"])
    put_outage(database_url, DESTINATION, "sustained-failures", ago(seconds=65))
    put_trigger(database_url, ago(minutes=1))

    for view in (row["relname"] for row in query(database_url, VIEWS)):
        assert await auditor.fetch(INFINITE.format(view)) == [], view
    kinds = {row["kind"] for row in await auditor.fetch("select kind from audit.standstills where not isempty(during)")}
    assert kinds == {"absent", "outage"}


async def test_no_table_view_or_function_of_ledger_can_be_used(auditor: asyncpg.Connection, database_url: str) -> None:
    for row in query(database_url, TABLES):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await auditor.fetch(f"select * from ledger.{row['relname']} limit 1")
    functions = query(database_url, FUNCTIONS)
    assert functions
    assert query(database_url, RIGHTS) == [{"used": True, "created": False, "ledger": False}]
    for call in ("ledger.uuid7_floor(now())", "ledger.drop_oldest_partition('2020-01-01')", "ledger.admit_auditors()"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await auditor.fetch(f"select {call}")


async def test_types_that_an_auditor_makes_are_not_taken_for_those_of_the_database(
    auditor: asyncpg.Connection, database_url: str
) -> None:
    """What a definer's function names must not lead to what its caller has made, and which it would run."""
    await auditor.execute("set search_path = pg_catalog")
    for name in ("uuid", "int2", "bytea"):
        await auditor.execute(f"create domain pg_temp.{name} as pg_catalog.text check (false)")
    low = "'01a00000-0000-7000-8000-000000000000'::pg_catalog.uuid"
    asked = f"'triggers', current_date, {low}, {low}, now(), 0, '{{}}'::pg_catalog.uuid[]"
    assert await auditor.fetchval(f"select rows from audit.digest({asked})") == 0
    assert database_url


async def test_nothing_can_be_written(auditor: asyncpg.Connection, database_url: str) -> None:
    for view in (row["relname"] for row in query(database_url, VIEWS)):
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.ObjectNotInPrerequisiteStateError)):
            await auditor.execute(f"delete from audit.{view}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await auditor.execute("create table audit.x ()")


async def test_a_view_of_a_later_migration_can_be_read_too(auditor: asyncpg.Connection, database_url: str) -> None:
    query(database_url, "create view audit.later as select 1 as x")
    assert await auditor.fetchval("select x from audit.later") == 1


def test_the_role_is_a_group_without_powers(database_url: str) -> None:
    assert query(database_url, EXISTS) == [{"rolcanlogin": False, "rolsuper": False, "rolcreaterole": False}]


async def test_the_role_outlives_a_downgrade_of_one_of_its_databases(own_postgres: Postgres, tmp_path: object) -> None:
    query(own_postgres.url, "create database second")
    second = own_postgres.url_of("second")
    await schema.upgrade(second, lambda _: None)
    await schema.downgrade(second, "base", lambda _: None)
    assert query(own_postgres.url, RIGHTS)[0]["used"]
    await schema.downgrade(own_postgres.url, "base", lambda _: None)
    assert query(own_postgres.url, EXISTS) == []


async def test_a_role_with_members_outlives_every_downgrade_without_rights(own_postgres: Postgres) -> None:
    query(own_postgres.url, "create role ada login")
    query(own_postgres.url, "grant ajo_auditor to ada")
    await schema.downgrade(own_postgres.url, "base", lambda _: None)
    assert len(query(own_postgres.url, EXISTS)) == 1
    await schema.upgrade(own_postgres.url, lambda _: None)
    assert query(own_postgres.url, RIGHTS)[0]["used"]


async def test_who_may_make_no_role_is_told_what_to_do_and_everything_else_is_there(own_postgres: Postgres) -> None:
    await schema.downgrade(own_postgres.url, "base", lambda _: None)
    password = secrets.token_hex(12)
    query(own_postgres.url, f"create role owner login password '{password}'")
    query(own_postgres.url, "create database owned owner owner")
    url = own_postgres.url_of("owned").replace(f"ajo:{own_postgres.password}", f"owner:{password}")
    said: list[str] = []
    await schema.upgrade(url, said.append)
    assert any("CREATE ROLE ajo_auditor NOLOGIN" in text for text in said)
    query(own_postgres.url, "create role ajo_auditor nologin")
    said.clear()
    await schema.upgrade(url, said.append)
    assert said == []
    assert query(url, RIGHTS)[0]["used"]


SEARCHED = """
    select p.proname, p.proconfig from pg_proc p
    where p.pronamespace in ('audit'::regnamespace, 'ledger'::regnamespace)
      and (p.proconfig is not null or p.prosecdef)
"""


def test_a_function_looks_for_temporary_objects_of_its_caller_last(database_url: str) -> None:
    """Where pg_temp isn't named it comes first, and a type of the caller's would be used with the owner's rights."""
    found = query(database_url, SEARCHED)
    assert len(found) > 10
    assert {(row["proconfig"] or [None])[0] for row in found} == {"search_path=pg_catalog, pg_temp"}
