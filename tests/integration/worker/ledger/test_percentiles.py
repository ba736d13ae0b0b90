"""Percentiles of many minutes and campaigns together are those of all their triggers, within the buckets' width."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.examples import examples

BEGIN = datetime(2026, 11, 24, 12, tzinfo=UTC)
PUT = """
    with spent as (
        select phase, v.seconds from unnest($4::text[], $5::float8[]) as v (phase, seconds) where v.seconds <> 0
    ), buckets as (
        select phase, ledger.bucket(seconds) as bucket, count(*)::int4 as n from spent group by 1, 2
    )
    insert into ledger.delay_minutes
        (minute, campaign, lane, phase, triggers, late, seconds, p50, p95, p99, longest, buckets, counts)
    select $1, $2, 'standard', s.phase, $3, 0, s.seconds, 0, 0, 0, s.longest, b.buckets, b.counts
    from (select phase, sum(seconds) as seconds, max(seconds) as longest from spent group by phase) as s
    join (select phase, array_agg(bucket order by bucket) as buckets, array_agg(n order by bucket) as counts
          from buckets group by phase) as b using (phase)
"""
PUT_TRIGGERS = """
    insert into ledger.trigger_minutes
        (minute, computed_at, triggers, sending, accepted, rejected, expired, unconfirmed,
        parked, possible_duplicates, attempts, departed, delivered, failed, clock_skew, campaign, lane, systems, blamed,
        worst, worst_seconds)
    values ($1, now(), $3, 0, $3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, $2, 'standard', '{}', '{}', '{}', '{}')
"""
ASK = "select * from audit.delay_percentiles($1, $2, together => $3, step => $4, of_phase => 'headers')"

seconds = st.one_of(st.just(0.0), st.floats(0.002, 0.2), st.floats(0.2, 5.0), st.floats(5.0, 900.0))
minutes = st.dictionaries(
    st.tuples(st.integers(0, 130), st.sampled_from(["order-shipped", "flash-sale"])),
    st.lists(seconds, min_size=1, max_size=30),
    min_size=1,
    max_size=8,
)
"""Seconds of the triggers of some minutes, by campaign: some slow, some quick, many that took none."""
Minutes = Mapping[tuple[int, str], Sequence[float]]


async def put_and_ask(
    url: str, given_minutes: Minutes, *asked: Any, hours: bool = False, zones: tuple[str, str] = ("UTC", "UTC")
) -> list[dict[str, Any]]:
    """What the engine says of these minutes, in a database that forgets them afterwards.

    ``zones`` are those of the session as hours are rolled up, and as it is asked.
    """
    connection = await asyncpg.connect(url)
    transaction = connection.transaction()
    await transaction.start()
    try:
        for (number, campaign), spent in given_minutes.items():
            at = BEGIN + timedelta(minutes=number)
            await connection.execute(PUT_TRIGGERS, at, campaign, len(spent))
            await connection.execute(PUT, at, campaign, len(spent), ["headers"] * len(spent), list(spent))
        await connection.execute(f"set local timezone = '{zones[0]}'")
        if hours:
            for number in range(3):
                await connection.execute("select ledger.roll_up_hour($1)", BEGIN + timedelta(hours=number))
        await connection.execute(f"set local timezone = '{zones[1]}'")
        return [dict(row) for row in await connection.fetch(ASK, BEGIN, BEGIN + timedelta(hours=3), *asked)]
    finally:
        await transaction.rollback()
        await connection.close()


def assert_right(row: Mapping[str, Any], spent: Sequence[float]) -> None:
    """Each percentile is the least of the values that a share of all is not above, within 5 %."""
    ordered = sorted(spent)
    for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        exact = ordered[ceil(share * len(ordered)) - 1]
        assert row[name] == pytest.approx(exact, rel=0.05), name
    assert row["longest"] == ordered[-1]
    assert row["triggers"] == len(ordered)


@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(minutes, st.booleans())
def test_of_all_together_they_are_those_of_all_triggers(database_url: str, those: Minutes, hours: bool) -> None:
    every = [each for spent in those.values() for each in spent]
    rows = asyncio.run(put_and_ask(database_url, those, True, None, hours=hours))
    if not any(every):
        assert rows == []
    else:
        (row,) = rows
        assert_right(row, every)
        assert (row["campaign"], row["at"]) == (None, None)


@settings(max_examples=examples(20), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(minutes)
def test_steps_and_campaigns_each_have_their_own(database_url: str, those: Minutes) -> None:
    wanted: dict[tuple[datetime, str], list[float]] = defaultdict(list)
    for (number, campaign), spent in those.items():
        wanted[BEGIN + timedelta(minutes=number - number % 10), campaign] += spent
    rows = asyncio.run(put_and_ask(database_url, those, False, timedelta(minutes=10)))
    found = {(row["at"], row["campaign"]): row for row in rows}
    assert set(found) == {key for key, spent in wanted.items() if any(spent)}
    for key, row in found.items():
        assert_right(row, wanted[key])


@pytest.mark.parametrize(
    "zones", [("UTC", "Asia/Kolkata"), ("Asia/Kathmandu", "UTC"), ("Asia/Kolkata", "Asia/Kathmandu")]
)
def test_whatever_time_zones_sessions_have_each_trigger_counts_once(database_url: str, zones: tuple[str, str]) -> None:
    those = {(number, "order-shipped"): [1.0, 2.0] for number in range(10, 100)}
    (row,) = asyncio.run(put_and_ask(database_url, those, True, None, hours=True, zones=zones))
    assert row["triggers"] == 2 * 90


def test_a_slow_minute_among_quick_ones_is_not_averaged_away(database_url: str) -> None:
    """The example that mixing percentiles of minutes got wrong: 13.2 s for a true 95th of 17.6."""
    those = {(number, "order-shipped"): [0.2 + 0.01 * n for n in range(90)] for number in range(9)}
    those[9, "order-shipped"] = [float(n) for n in range(1, 91)]
    (row,) = asyncio.run(put_and_ask(database_url, those, True, None))
    assert_right(row, [each for spent in those.values() for each in spent])
