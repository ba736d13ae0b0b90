"""Faults of the database: each is seen, and the other checks stay good."""

import asyncio
import secrets
from datetime import UTC, datetime

import asyncpg
import pytest
from ajo_local.postgres import Postgres

from tests.support.database import query
from tests.support.doctor import PASSWORD, Diagnose, role, statuses
from tests.support.waiting import wait_until

LOOKS = {f"database {what}" for what in ("migrations", "rights", "durability", "partitions")}


def test_a_wrong_password_of_the_database_fails_alone(env: dict[str, str], diagnose: Diagnose) -> None:
    place = env["AJO_DATABASE_URL"].partition("@")[2]
    code, found = diagnose(env | {"AJO_DATABASE_URL": f"postgresql://ajo:{PASSWORD}@{place}"})
    assert (code, statuses(found, "failed")) == (1, {"database"})
    assert "refuses the user or password" in str(found["database"]["found"])
    assert {*LOOKS, "workers"} <= statuses(found, "skipped")
    assert {"broker", "token", "clocks"} <= statuses(found, "ok")
    assert PASSWORD not in repr(found)


def test_a_database_without_a_ledger_fails_its_migrations_alone(
    env: dict[str, str], session_postgres: Postgres, diagnose: Diagnose
) -> None:
    name = f"test_{secrets.token_hex(6)}"
    query(session_postgres.url, f"create database {name}")
    try:
        code, found = diagnose(env | {"AJO_DATABASE_URL": session_postgres.url_of(name)})
    finally:
        query(session_postgres.url, f"drop database {name} with (force)")
    assert (code, statuses(found, "failed")) == (1, {"database migrations"})
    assert "db upgrade" in str(found["database migrations"]["advice"])
    assert {"database rights", "database partitions", "workers"} <= statuses(found, "skipped")


@pytest.mark.parametrize(
    ("rights", "failed", "told"),
    [
        (
            ("usage on schema ledger", "select on all tables in schema ledger"),
            {"database rights"},
            "INSERT, UPDATE, DELETE on ",
        ),
        ((), {"database rights", "database migrations"}, "USAGE on the schema"),
    ],
    ids=["read-only", "none"],
)
def test_a_role_that_lacks_rights_fails(
    env: dict[str, str], rights: tuple[str, ...], failed: set[str], told: str, diagnose: Diagnose
) -> None:
    with role(env["AJO_DATABASE_URL"], *rights) as limited:
        code, found = diagnose(env | {"AJO_DATABASE_URL": limited})
    assert (code, statuses(found, "failed")) == (1, failed)
    assert told in str(found["database rights"]["found"])
    assert "_20" not in str(found["database rights"]["found"]), "of a partition no rights are needed"


def test_a_day_without_partitions_fails(env: dict[str, str], diagnose: Diagnose) -> None:
    query(env["AJO_DATABASE_URL"], f"drop table ledger.attempts_{datetime.now(UTC):%Y%m%d}")
    code, found = diagnose(env)
    assert (code, statuses(found, "failed")) == (1, {"database partitions"})
    assert str(found["database partitions"]["found"]).startswith("attempts have none for today")


async def test_a_question_that_hangs_meets_the_timeout_and_stops_no_other(
    env: dict[str, str], diagnose: Diagnose
) -> None:
    connection = await asyncpg.connect(env["AJO_DATABASE_URL"])
    try:
        async with connection.transaction():
            await connection.execute("lock table ledger.alembic_version in access exclusive mode")
            code, found = await asyncio.to_thread(diagnose, env, "--timeout", "10")
    finally:
        await connection.close()
    assert (code, statuses(found, "failed")) == (1, {"database migrations"})
    assert found["database migrations"]["found"] == "no answer within 10 s"
    assert {"database rights", "database partitions", "workers", "clocks"} <= statuses(found, "ok")


async def test_a_lock_that_somebody_forgot_is_told_with_whose_it_is(env: dict[str, str], diagnose: Diagnose) -> None:
    url = env["AJO_DATABASE_URL"]
    forgotten = await asyncpg.connect(url, server_settings={"application_name": "psql of yesterday"})
    waiting = await asyncpg.connect(url)
    try:
        await forgotten.execute("begin")
        await forgotten.execute("lock table ledger.network_probes in access exclusive mode")
        admission = asyncio.create_task(waiting.execute("select from ledger.network_probes"))
        long = "select from pg_stat_activity where wait_event_type = 'Lock' and query_start < now() - interval '5 s'"
        await asyncio.to_thread(wait_until, lambda: query(url, long), what="it has waited for long")
        code, found = await asyncio.to_thread(diagnose, env)
        await forgotten.execute("rollback")
        await admission
    finally:
        await forgotten.close()
        await waiting.close()
    assert (code, found["database locks"]["status"]) == (1, "failed")
    told = str(found["database locks"]["found"])
    assert "1 session for up to" in told
    assert f"for process {forgotten.get_server_pid()} (ajo, psql of yesterday, idle in transaction)" in told
