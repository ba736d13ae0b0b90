"""The database's clock is set: who lives goes on living, what waits doesn't wait longer, and rounds are known by it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from ajo_worker.ledger.admission import look
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.ledger.liveness import CLOCK_STEP
from ajo_worker.ledger.ownership import Takeover, take_over
from ajo_worker.ledger.worker_rows import dead_workers
from uuid_utils.compat import uuid7

from tests.integration.worker.ledger.workers import beating, until, worker_row
from tests.support.alert_rows import put_outage, put_parked
from tests.support.database import query
from tests.support.ledger_rows import after, ago, put_attempt, put_trigger, put_worker

ME = uuid7()
DAY = 86_400.0
STARTED_LONG_AGO = """
    CREATE OR REPLACE FUNCTION ledger.database_start() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
    RETURN statement_timestamp() - interval '1 year'
"""


def steps(url: str) -> list[float]:
    """By how many seconds it was set, as workers noticed."""
    return [row["seconds"] for row in query(url, "select seconds from audit.clock_steps order by noticed_at")]


def status(url: str, worker: UUID) -> str:
    sql = "select ledger.worker_status(w) as it from ledger.workers w where worker_id = $1"
    return str(query(url, sql, worker)[0]["it"])


def sending(url: str, began: datetime, **columns: Any) -> UUID:
    """A trigger whose round began then, and whose only attempt failed."""
    facts = {"first_dispatched_at": began, "last_intent_at": began, "attempts_started": 1} | columns
    request_id = put_trigger(url, began, **facts)
    answer = {"outcome": "retryable", "http_status": 429, "retry_after_seconds": 5.0, "responded_at": after(began, 1)}
    put_attempt(url, request_id, 1, began, **answer)
    return request_id


@pytest.mark.parametrize("seconds", [-DAY, -60.0, -10.0])
async def test_of_a_clock_that_was_set_back_a_dead_workers_heartbeat_counts_from_when_it_was_noticed(
    database_url: str, connection: asyncpg.Connection, seconds: float
) -> None:
    dead = put_worker(database_url, heartbeat_at=after(ago(), -seconds), owner_timeout_seconds=0.5)
    await connection.execute(CLOCK_STEP, ME, seconds)
    row = worker_row(database_url, dead)
    assert row["heartbeat_at"] <= ago()
    assert row["stopped_at"] is None
    await until(lambda: status(database_url, dead) == "dead", "it is dead after its own time-out")
    assert steps(database_url) == [seconds]


async def test_a_worker_that_has_just_started_finds_heartbeats_from_the_future(database_url: str) -> None:
    dead = put_worker(database_url, heartbeat_at=after(ago(), 60))
    async with beating(database_url, LedgerClock(), uuid7()) as heart:
        await heart.first_beat.wait()
    assert worker_row(database_url, dead)["heartbeat_at"] < after(ago(), 10)
    assert steps(database_url) == [pytest.approx(-60, abs=10)]


async def test_without_any_step_none_is_noticed(database_url: str) -> None:
    async with beating(database_url, LedgerClock(), uuid7()) as heart:
        await heart.first_beat.wait()
        first = worker_row(database_url, heart.worker_id)["heartbeat_at"]
        await until(lambda: worker_row(database_url, heart.worker_id)["heartbeat_at"] > first, "it beats again")
    assert steps(database_url) == []


async def test_of_a_clock_that_was_set_forward_whoever_lived_lives(
    database_url: str, connection: asyncpg.Connection
) -> None:
    alive, died = (put_worker(database_url, heartbeat_at=ago(seconds=DAY + age)) for age in (1, 30))
    query(database_url, "update ledger.workers set owner_timeout_seconds = 15")
    query(database_url, STARTED_LONG_AGO)
    await connection.execute(CLOCK_STEP, ME, DAY)
    assert (status(database_url, alive), status(database_url, died)) == ("alive", "dead")


async def test_whoever_seems_dead_itself_takes_nobody_elses_triggers(
    database_url: str, connection: asyncpg.Connection
) -> None:
    """A clock that leapt makes all seem dead until each has beaten again."""
    me, other = (put_worker(database_url, heartbeat_at=ago(minutes=5)) for _ in range(2))
    one = sending(database_url, ago(minutes=5), owner=other)
    takeover = Takeover(one, 1, me, 1, interrupted=False)
    assert await take_over(connection, [takeover]) == [False]
    assert await dead_workers(connection, me) == frozenset()
    query(
        database_url,
        "update ledger.workers set heartbeat_at = now(), owner_timeout_seconds = 15 where worker_id = $1",
        me,
    )
    assert await dead_workers(connection, me) == {other}
    assert await take_over(connection, [takeover]) == [True]


@pytest.mark.parametrize(
    ("began", "stepped"),
    [(-3600.0, False), (-30.0, True), (8.0, True), (1.0, True)],
)
async def test_rounds_from_before_a_step_back_are_known_also_once_the_clock_has_caught_up(
    database_url: str, connection: asyncpg.Connection, began: float, stepped: bool
) -> None:
    put_worker(database_url)
    one = sending(database_url, after(ago(), began))
    await connection.execute(CLOCK_STEP, ME, -10.0)
    query(
        database_url,
        "update ledger.triggers set first_dispatched_at = least(first_dispatched_at, now() - interval '1 s')",
    )
    (known,) = (await look(connection, [one])).values()
    assert known.clock_stepped is stepped


async def test_rounds_that_began_long_after_a_step_back_are_like_any_other(
    database_url: str, connection: asyncpg.Connection
) -> None:
    put_worker(database_url)
    await connection.execute(CLOCK_STEP, ME, -10.0)
    query(
        database_url,
        """update ledger.clock_steps set noticed_at = noticed_at - interval '1 minute',
        stamped_since = stamped_since - interval '1 minute', stamped_until = stamped_until - interval '1 minute'""",
    )
    (known,) = (await look(connection, [sending(database_url, ago(seconds=1))])).values()
    assert not known.clock_stepped


async def test_what_retry_after_asked_for_is_longer_by_what_the_clock_was_set_forward(
    database_url: str, connection: asyncpg.Connection
) -> None:
    began = ago(seconds=20)
    one = sending(database_url, began)
    (before,) = (await look(connection, [one])).values()
    await connection.execute(CLOCK_STEP, put_worker(database_url), 7.0)
    (known,) = (await look(connection, [one])).values()
    assert known.not_before == before.not_before + timedelta(seconds=7)


async def test_what_waits_for_a_moment_waits_no_longer_for_a_clock_that_was_set_back(
    database_url: str, connection: asyncpg.Connection
) -> None:
    put_worker(database_url)
    tomorrow = after(ago(), DAY)
    put_parked(database_url, tomorrow, tomorrow)
    start = after(tomorrow, -3600)
    put_parked(database_url, ago(), start)
    query(database_url, "update ledger.held_payloads set reason = 'before-start' where resume_at = $1", start)
    put_outage(database_url, "destination:standard@a.example.com", "no-answers", tomorrow)
    put_outage(database_url, "destination:standard@b.example.com", "no-answers", tomorrow, "recovering")
    query(
        database_url,
        "update ledger.circuits set probe_at = $1, probe_interval_seconds = 5 where state = 'open'",
        tomorrow,
    )
    query(database_url, "insert into ledger.rate_limits values ('lane:standard', $1, $1, $1, 0.01)", tomorrow)
    await connection.execute(CLOCK_STEP, ME, -DAY)
    (parked,) = query(database_url, "select resume_at from ledger.held_payloads where reason = 'outage'")
    assert parked["resume_at"] <= ago()
    (waits,) = query(database_url, "select resume_at from ledger.held_payloads where reason = 'before-start'")
    assert waits["resume_at"] == start, "a campaign's start is the same moment by every clock"
    for circuit in query(database_url, "select * from ledger.circuits"):
        assert circuit["changed_at"] <= ago()
        assert circuit["probe_at"] is None or circuit["probe_at"] < after(ago(), 6)
    (limit,) = query(database_url, "select slowed_at, slowed_since from ledger.rate_limits")
    assert max(limit["slowed_at"], limit["slowed_since"]) <= ago()
