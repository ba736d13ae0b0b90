"""Daily partitions: an id's time says where its rows are, and an id is unique wherever they are."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import asyncpg
import pytest
from uuid_utils.compat import uuid7

from tests.support.database import query
from tests.support.ledger_rows import put_attempt, put_trigger

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
FAR = date(2031, 2, 28)
"""A day without a partition, before one that isn't always there."""
FOREIGN = [UUID(int=0), UUID("8f0c2d1e-1111-4222-8333-444455556666"), UUID(int=2**128 - 1)]
TABLES = ("triggers", "attempts", "deliveries", "feedback")
MAKE = "select ledger.make_partitions($1, $2) as name"


def at(day: date, hour: time = time()) -> datetime:
    return datetime.combine(day, hour, UTC)


def first_id(moment: datetime) -> UUID:
    """The least UUIDv7 of a millisecond."""
    return UUID(int=(int(moment.timestamp() * 1000) << 80) | (7 << 76) | (2 << 62))


def last_id(moment: datetime) -> UUID:
    """The greatest UUIDv7 of a millisecond."""
    return UUID(int=first_id(moment).int | ((1 << 12) - 1) << 64 | ((1 << 62) - 1))


def put_rows(url: str, request_id: UUID) -> tuple[str, str]:
    """Put a trigger with one attempt; returns the partitions that they went to."""
    put_trigger(url, NOW, request_id=request_id)
    put_attempt(url, request_id, 1, NOW)
    sql = "select tableoid::regclass::text as partition from ledger.{} where request_id = $1"
    (trigger,), (attempt,) = (query(url, sql.format(table), request_id) for table in ("triggers", "attempts"))
    return trigger["partition"], attempt["partition"]


def test_an_id_made_now_goes_to_the_partition_of_its_day(database_url: str) -> None:
    request_id = uuid7()
    day = datetime.fromtimestamp((request_id.int >> 80) / 1000, UTC)
    assert put_rows(database_url, request_id) == (f"ledger.triggers_{day:%Y%m%d}", f"ledger.attempts_{day:%Y%m%d}")


def test_a_day_begins_and_ends_at_midnight_utc_to_the_millisecond(database_url: str) -> None:
    query(database_url, MAKE, FAR - timedelta(days=1), FAR + timedelta(days=1))
    millisecond = timedelta(milliseconds=1)
    days = [
        (first_id(at(FAR)), FAR),
        (last_id(at(FAR + timedelta(days=1)) - millisecond), FAR),
        (last_id(at(FAR) - millisecond), FAR - timedelta(days=1)),
        (first_id(at(FAR + timedelta(days=1))), FAR + timedelta(days=1)),
    ]
    for request_id, day in days:
        assert put_rows(database_url, request_id) == (f"ledger.triggers_{day:%Y%m%d}", f"ledger.attempts_{day:%Y%m%d}")


@pytest.mark.parametrize("request_id", [*FOREIGN, first_id(at(FAR))])
def test_foreign_ids_and_ids_of_other_days_go_to_the_default_partition(database_url: str, request_id: UUID) -> None:
    assert put_rows(database_url, request_id) == ("ledger.triggers_default", "ledger.attempts_default")


def test_the_floor_of_a_moment_is_below_every_id_of_it_and_above_every_id_before(database_url: str) -> None:
    moment = at(FAR, time(13, 37, 1, 234_000))
    sql = "select ledger.uuid7_floor($1) as least"
    assert last_id(moment - timedelta(milliseconds=1)) < query(database_url, sql, moment)[0]["least"] < first_id(moment)


def test_making_partitions_again_makes_what_is_missing_only(database_url: str) -> None:
    days = FAR, FAR + timedelta(days=1)
    made = [row["name"] for row in query(database_url, MAKE, *days)]
    assert made == [f"{table}_{day}" for day in ("20310228", "20310301") for table in TABLES]
    assert query(database_url, MAKE, *days) == []
    query(database_url, "drop table ledger.attempts_20310301")
    assert [row["name"] for row in query(database_url, MAKE, *days)] == ["attempts_20310301"]


async def test_partitions_made_at_the_same_time_are_each_made_once(database_url: str) -> None:
    connections = [await asyncpg.connect(database_url) for _ in range(4)]
    try:
        made = await asyncio.gather(*(one.fetch(MAKE, FAR, FAR + timedelta(days=3)) for one in connections))
    finally:
        await asyncio.gather(*(one.close() for one in connections))
    names = [row["name"] for rows in made for row in rows]
    assert len(names) == len(set(names)) == 4 * len(TABLES)


def test_a_day_whose_ids_came_before_its_partition_stays_in_the_default_one_and_holds_no_other_day_up(
    database_url: str,
) -> None:
    early = first_id(at(FAR))
    put_rows(database_url, early)
    made = [row["name"] for row in query(database_url, MAKE, FAR, FAR + timedelta(days=1))]
    others = ["deliveries_20310228", "feedback_20310228"]
    assert made == [*others, *(f"{table}_20310301" for table in TABLES)]
    with pytest.raises(asyncpg.UniqueViolationError):
        put_trigger(database_url, NOW, request_id=early)
    assert put_rows(database_url, last_id(at(FAR))) == ("ledger.triggers_default", "ledger.attempts_default")


@pytest.mark.parametrize("request_id", [*FOREIGN, uuid7()])
def test_an_id_is_unique_across_all_partitions(database_url: str, request_id: UUID) -> None:
    put_rows(database_url, request_id)
    with pytest.raises(asyncpg.UniqueViolationError):
        put_trigger(database_url, NOW, request_id=request_id)
    with pytest.raises(asyncpg.UniqueViolationError):
        put_attempt(database_url, request_id, 1, NOW)


def test_every_partition_has_what_its_table_has(database_url: str) -> None:
    """Keys, checks, indexes and room for updates inside a page (fillfactor), also in those made by the day."""
    query(database_url, MAKE, FAR, FAR)
    sql = """
        select c.relname as name, c.reloptions as options,
               array(select pg_get_constraintdef(o.oid) from pg_constraint o
                     where o.conrelid = c.oid and o.contype in ('p', 'c') order by 1) as constraints,
               array(select regexp_replace(pg_get_indexdef(i.indexrelid), '.* USING ', '') from pg_index i
                     where i.indrelid = c.oid order by 1) as indexes
        from pg_class c where c.relnamespace = 'ledger'::regnamespace and c.relname ~ $1 and c.relkind in ('r', 'p')
    """
    for table, options in (("triggers", ["fillfactor=60"]), ("attempts", None)):
        rows = {row["name"]: row for row in query(database_url, sql, f"^{table}")}
        whole = rows.pop(table)
        assert {f"{table}_default", f"{table}_20310228"} < set(rows)
        for row in rows.values():
            assert (row["constraints"], row["indexes"]) == (whole["constraints"], whole["indexes"])
            assert row["options"] == options
