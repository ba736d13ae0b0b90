"""audit.lateness: how many were late, and whose fault, on a day of 25 hours whose triggers are known one by one."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from ajo_worker.days import bounds

from tests.support.database import query
from tests.support.ledger_rows import after, put_attempt, put_trigger, put_worker

BEGIN, END = datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC)
"""25 October 2026 in Berlin, where clocks were set back."""
ASK = "select * from audit.lateness('2026-10-25', 'Europe/Berlin')"
ROLL_UP = """
    select ledger.roll_up(minute)
    from (select distinct date_trunc('minute', received_at) as minute from ledger.triggers) as m
"""


def put(url: str, received: datetime, *, queued: float = 0.2, took: float = 1.0, **columns: Any) -> None:
    """A trigger that waited and took so many seconds."""
    end = after(received, took)
    row = {"state": "accepted", "completed_at": end, "received_at": received, "first_dispatched_at": received} | columns
    request_id = put_trigger(url, after(received, -queued), attempts_started=1, **row)
    put_attempt(
        url, request_id, 1, received, responded_at=end, to_headers_seconds=took, to_body_seconds=took,
        ledger_wait_seconds=0.0,
    )  # fmt: skip


@pytest.fixture
def url(database_url: str) -> str:
    """A ledger of that day, and of the minutes before and after it."""
    put_worker(database_url, started_at=BEGIN - timedelta(days=1))
    for number in range(3):
        put(database_url, after(BEGIN, 3600 + number), took=30)  # Adobe's API
    for number in range(2):
        put(database_url, after(BEGIN, 7200 + number), took=30, queued=10)  # both: most of it is Adobe's API's
    put(database_url, after(BEGIN, 10_800), took=5, queued=40, campaign="flash-sale")  # both: most is the broker's
    put(database_url, BEGIN, queued=40)  # the broker, in the first minute
    put(database_url, after(END, -1), state="rejected", reason="bad-request")  # on time, in the last one
    for number in range(4):
        put(database_url, after(BEGIN, 40_000 + number))  # nothing reported yet
    put(database_url, after(BEGIN, 60_000), queued=-5, state="rejected", producer="ahead")  # clocks that disagree
    put(database_url, after(BEGIN, -1), took=30)  # the day before
    put(database_url, END, took=30)  # the day after
    query(database_url, ROLL_UP)
    return database_url


def test_each_trigger_of_the_day_is_counted_once_with_the_system_that_holds_most_of_its_delay(url: str) -> None:
    rows = {row["system"]: row for row in query(url, ASK)}
    assert {system: (row["late"], row["triggers"], row["also"]) for system, row in rows.items()} == {
        "adobe-api": (True, 5, 1),
        "broker": (True, 2, 2),
        "not-yet-known": (False, 4, 0),
        "none": (False, 1, 0),
        "clocks": (False, 1, 0),
    }
    received = f"received_at >= '{BEGIN}' and received_at < '{END}'"
    every = query(url, f"select system, count(*) as n from audit.delays where {received} group by 1")
    assert {row["system"]: row["n"] for row in every} == {system: row["triggers"] for system, row in rows.items()}
    assert sum(row["triggers"] for row in rows.values()) == 13
    assert sum(row["share"] for row in rows.values()) == pytest.approx(1)


def test_seconds_are_all_that_a_system_is_charged_with(url: str) -> None:
    rows = {row["system"]: row["seconds"] for row in query(url, ASK)}
    assert rows["adobe-api"] == pytest.approx(5 * 30 + 5, abs=0.1)
    assert rows["broker"] == pytest.approx(2 * 10 + 40 + 40, abs=0.1)
    assert (rows["none"], rows["not-yet-known"], rows["clocks"]) == (None, None, None)


def test_a_campaign_and_the_days_of_utc_are_others(url: str) -> None:
    of_campaign = query(url, "select * from audit.lateness('2026-10-25', 'Europe/Berlin', 'flash-sale')")
    assert [(row["system"], row["triggers"], row["also"]) for row in of_campaign] == [
        ("broker", 1, 0),
        ("adobe-api", 0, 1),
    ]
    assert sum(row["triggers"] for row in query(url, "select * from audit.lateness('2026-10-25')")) == 10
    assert query(url, "select * from audit.lateness('2020-01-01')") == []


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Atlantic/Azores", date(2026, 10, 25)),  # midnight comes twice
        ("America/Havana", date(2026, 11, 1)),
        ("Africa/Cairo", date(2026, 4, 24)),  # it doesn't come
        ("America/Sao_Paulo", date(2018, 2, 18)),  # 23:00 came twice
    ],
)
def test_a_day_begins_with_its_first_midnight_as_a_report_s_does(database_url: str, zone: str, day: date) -> None:
    begin, end = bounds(day, ZoneInfo(zone))
    for received in (after(begin, -1), begin, after(end, -1), end):
        put(database_url, received, state="rejected")
    query(database_url, ROLL_UP)
    found = query(database_url, "select sum(triggers)::int as n from audit.lateness($1, $2)", day, zone)
    assert found == [{"n": 2}]
