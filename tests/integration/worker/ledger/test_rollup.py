"""Minutes are rolled up whole, as often as they can change, and sum up what the triggers themselves say."""

from datetime import UTC, datetime, timedelta
from statistics import quantiles
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from ajo_worker.ledger.rollup import CLAIM, roll_up
from uuid_utils.compat import uuid7

from tests.support.database import query
from tests.support.ledger_rows import after, put_attempt, put_delivery, put_trigger, put_worker

MINUTE = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=30)


@pytest.fixture
def url(database_url: str) -> str:
    """A database whose worker has lived all the time."""
    put_worker(database_url, started_at=MINUTE - timedelta(days=1))
    return database_url


def put(url: str, second: float, took: float = 1.0, **columns: Any) -> UUID:
    """A trigger received so many seconds after the minute's begin, answered after so many more."""
    received = after(MINUTE, second)
    ended = {"completed_at": after(received, took)} if columns.get("state", "accepted") != "sending" else {}
    row = {"received_at": received, "state": "accepted", "attempts_started": 1} | ended | columns
    request_id = put_trigger(url, after(received, -0.25), **row)
    if ended:
        put_attempt(
            url, request_id, 1, received, responded_at=after(received, took), to_headers_seconds=took,
            to_body_seconds=took, ledger_wait_seconds=0.0,
        )  # fmt: skip
    return request_id


async def work(url: str, most: int = 100) -> int:
    """One round of a worker's."""
    connection = await asyncpg.connect(url)
    try:
        return await roll_up(connection, most)
    finally:
        await connection.close()


def minutes(url: str) -> dict[datetime, dict[str, Any]]:
    return {row["minute"]: row for row in query(url, "select * from audit.trigger_minutes order by minute")}


async def test_a_minute_sums_up_its_triggers_and_every_one_is_accounted_for(url: str) -> None:
    for second in range(10):
        put(url, second)
    put(url, 11, took=9, possible_duplicate=True)
    put(url, 12, state="rejected")
    put(url, 13, state="sending")
    put(url, 61)
    assert await work(url) == 2
    found = minutes(url)
    row = found[MINUTE]
    assert (row["triggers"], row["accepted"], row["rejected"], row["sending"]) == (13, 11, 1, 1)
    assert (row["possible_duplicates"], row["attempts"]) == (1, 12)
    assert found[MINUTE + timedelta(minutes=1)]["triggers"] == 1
    assert {row["unaccounted"] for row in query(url, "select unaccounted from audit.conservation")} == {0}


async def test_percentiles_of_a_minute_are_those_of_its_triggers(url: str) -> None:
    took = [0.1 * number for number in range(1, 21)]
    for number, seconds in enumerate(took):
        put(url, number, took=seconds)
    await work(url)
    (row,) = query(url, "select * from audit.delay_by_minute where phase = 'headers'")
    assert (row["p50"], row["p95"], row["longest"]) == pytest.approx((took[9], took[18], took[19]))
    assert (row["triggers"], row["late"], row["system"]) == (20, 0, "adobe-api")
    (spread,) = query(
        url, "select * from audit.delay_percentiles($1, now()) where phase = 'headers'", MINUTE - timedelta(hours=1)
    )
    assert spread["p50"] == pytest.approx(quantiles(took, n=2)[0], rel=0.1)
    assert spread["p95"] == pytest.approx(took[18], rel=0.06)
    assert spread["seconds"] == pytest.approx(sum(took))


async def test_systems_are_charged_in_the_minute_and_the_slowest_are_kept(url: str) -> None:
    slow = [put(url, second, took=10 + second) for second in range(12)]
    done = put(url, 20)
    put_delivery(url, done, departed_at=after(MINUTE, 25), delivered_at=after(MINUTE, 30))
    put(url, 21)
    await work(url)
    row = minutes(url)[MINUTE]
    assert row["systems"]
    systems = {
        each["key"]: each["value"]
        for each in query(url, "select s.* from audit.trigger_minutes, jsonb_each(systems) as s")
    }
    assert "12" in systems["adobe-api"]
    assert set(systems) == {"adobe-api", "none", "not-yet-known"}
    assert row["worst"] == slow[:1:-1]
    assert row["worst_seconds"][0] == pytest.approx(21.25)


async def test_what_is_over_is_not_computed_again_and_what_changed_is(url: str) -> None:
    first = put(url, 1)
    put(url, 61, state="sending")
    put(url, 125)
    assert await work(url) == 3
    assert await work(url) == 0
    query(url, "update ledger.trigger_minutes set computed_at = now() - interval '11 minutes'")
    assert await work(url) == 1, "that with a trigger under way"
    put_delivery(url, first, departed_at=after(MINUTE, 3))
    query(url, "insert into ledger.stale_minutes values ($1)", MINUTE)
    query(url, "update ledger.trigger_minutes set computed_at = now() - interval '6 minutes' where minute = $1", MINUTE)
    assert await work(url) == 1
    assert minutes(url)[MINUTE]["departed"] == 1
    assert query(url, "select * from ledger.stale_minutes") == []


async def test_what_is_written_late_is_computed_too_and_a_minute_that_is_not_over_is_not(url: str) -> None:
    put(url, 61)
    assert await work(url) == 1
    late = put(url, 1)
    assert await work(url) == 0, "an answer from long ago: its trigger was known to be under way"
    query(url, "update ledger.attempts set responded_at = now() where request_id = $1", late)
    assert await work(url) == 1
    assert minutes(url)[MINUTE]["triggers"] == 1
    now = put_trigger(url, datetime.now(UTC), received_at=datetime.now(UTC), state="accepted")
    assert await work(url) == 0
    assert not query(url, "select from ledger.trigger_minutes where $1 = any(worst)", now)


async def test_hours_are_summed_up_once_they_are_over_and_give_the_same_percentiles(url: str) -> None:
    begin = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
    for number in range(30):
        received = after(begin, 60 * number)
        request_id = put_trigger(
            url,
            received,
            received_at=received,
            state="accepted",
            completed_at=after(received, number),
            attempts_started=1,
        )
        put_attempt(url, request_id, 1, received, responded_at=after(received, number), to_body_seconds=float(number))
    ask = "select phase, triggers, p50, p95, p99, longest from audit.delay_percentiles($1, $2) order by phase"
    between = (begin, begin + timedelta(hours=2))
    assert await work(url, most=30) == 30
    by_minute = query(url, ask, *between)
    assert query(url, "select count(*) as n from ledger.delay_hours")[0]["n"] == 0, "a full round: minutes come first"
    await work(url)
    assert query(url, "select count(*) as n from ledger.delay_hours")[0]["n"] > 0
    assert query(url, ask, *between) == by_minute
    query(url, "select ledger.roll_up($1)", begin)
    assert query(url, "select count(*) as n from ledger.delay_hours")[0]["n"] == 0, "a minute of it was computed anew"
    assert query(url, ask, *between) == by_minute


async def test_one_worker_at_a_time_rolls_up(url: str) -> None:
    put(url, 1)
    other = await asyncpg.connect(url)
    try:
        assert await other.fetchval(CLAIM)
        assert await work(url) == 0
    finally:
        await other.close()
    assert await work(url) == 1


async def test_a_ledger_with_nothing_in_it_has_nothing_to_roll_up(database_url: str) -> None:
    assert await work(database_url) == 0
    assert uuid7() not in minutes(database_url)


async def test_a_minute_that_cannot_be_computed_is_on_record_alerted_and_keeps_no_other_from_being_computed(
    url: str,
) -> None:
    broken = put(url, 1)
    put(url, 61)
    query(url, "update ledger.attempts set to_headers_seconds = 'NaN' where request_id = $1", broken)
    await work(url)
    assert list(minutes(url)) == [after(MINUTE, 60)]
    (failure,) = query(url, "select * from audit.rollup_failures")
    assert (failure["minute"], failure["fault"]) == (MINUTE, "NumericValueOutOfRangeError")
    (alert,) = query(url, "select value, audience from audit.alerts where alert = 'rollup-failing'")
    assert (alert["value"], alert["audience"]) == (1, "database")
    assert await work(url) == 0, "it is not tried again at once"

    query(url, "update ledger.attempts set to_headers_seconds = 1 where request_id = $1", broken)
    query(url, "update ledger.rollup_failures set failed_at = failed_at - interval '6 minutes'")
    assert await work(url) == 1
    assert not query(url, "select * from audit.rollup_failures")
    assert set(minutes(url)) == {MINUTE, after(MINUTE, 60)}
