"""What is asked for each feedback is looked up in indexes, and never read from a big table."""

import json
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from ajo_worker.feedback import correlation, deliveries, matching, search, storing
from ajo_worker.feedback.storing import FeedbackRow, store
from ajo_worker.feedback.writing import THERE
from ajo_worker.ledger.many_rows import columns

from tests.integration.worker.feedback.triggers import put_sent, put_unconfirmed, some_execution, told
from tests.integration.worker.ledger.test_plans import LOCKED, nodes
from tests.support.database import query
from tests.support.ledger_rows import ago

INDEXED = {"Index Scan", "Index Only Scan", "Bitmap Heap Scan", "Bitmap Index Scan"}
SMALL = {"campaigns"}
ROW = told("sent", ago(minutes=4))
ID = ROW.feedback_id
PARAMETERS = {
    "known": (storing.KNOWN, 3),
    "insert": (storing.INSERT, len(columns([ROW], FeedbackRow)) + 3),
    "by execution": (correlation.BY_EXECUTION, 4),
    "by request": (correlation.BY_REQUEST, 4),
    "since": (deliveries.SINCE, 3),
    "remake": (deliveries.REMAKE, 4),
    "confirm": (deliveries.CONFIRM, 4),
    "stale": (deliveries.STALE, 3),
    "due": (matching.DUE, 1),
    "tell": (matching.TELL, 6),
    "overtaken": (matching.OVERTAKEN, 3),
    "by companion": (search.BY_COMPANION, 7),
    "by recipient": (search.BY_RECIPIENT, 7),
}

NOT_NULL: dict[str, list[Any]] = {
    "by execution": [None, None, ago(days=9), ago()],
    "by request": [None, None, ID, ID],
    **{name: [None, ID, ID] for name in ("known", "since", "stale", "overtaken")},
    **{name: [None, ago(days=9), ID, ID] for name in ("remake", "confirm")},
    "tell": [None, None, None, timedelta(days=1), ID, ID],
    "by companion": [None, None, None, None, timedelta(days=5), ago(days=9), ago()],
}
"""Where PostgreSQL sees that a null leads to no row at all."""


async def scans(connection: asyncpg.Connection, options: str, sql: str, *arguments: Any) -> list[dict[str, Any]]:
    answer = await connection.fetchval(f"explain ({options}, format json) {sql}", *arguments)
    return [node for node in nodes(json.loads(answer)[0]["Plan"]) if "Relation Name" in node]


@pytest.mark.parametrize("name", PARAMETERS)
async def test_a_plan_that_is_made_once_for_all_reads_no_big_table(connection: asyncpg.Connection, name: str) -> None:
    """Also while the tables are still empty, as they are when a receiver starts."""
    sql, parameters = PARAMETERS[name]
    given = NOT_NULL.get(name) or [None] * parameters
    found = await scans(connection, "generic_plan", sql, *given)
    read = [node for node in found if "Scan" in node["Node Type"] and node["Relation Name"] not in SMALL]
    assert {node["Node Type"] for node in read} <= INDEXED
    assert read or name == "insert"


LOCKS = "select count(*) from pg_locks where pid = pg_backend_pid() and locktype = 'relation'"
OLDER = "select ledger.make_partitions(current_date - 40, current_date - 35)"


@pytest.mark.parametrize("repetitions", [1, 8])
async def test_feedback_about_a_trigger_locks_no_more_of_a_ledger_that_is_older(
    connection: asyncpg.Connection, database_url: str, repetitions: int
) -> None:
    """Of 400 days each webhook took 1.4 s and 7,500 locks, of which PostgreSQL has about as many in all.

    After some executions PostgreSQL may plan a statement for good.
    """

    async def locks() -> int:
        for _ in range(repetitions):
            transaction = connection.transaction()
            await transaction.start()
            request_id, _ = [put_unconfirmed(database_url, ago(minutes=5)) for _ in range(2)]
            row = told("delivered", ago(minutes=4), request=str(request_id), execution=some_execution())
            assert [stored.match for stored in await store(connection, [row])] == ["request-id"]
            await matching.confirm_overtaken(connection, timedelta(hours=1))
            number = await connection.fetchval(LOCKS)
            await transaction.rollback()
        return int(number)

    of_two_weeks = await locks()
    query(database_url, OLDER)
    assert await locks() <= of_two_weeks


MANY = """
    with made as (
        insert into ledger.triggers (request_id, batch_id, enqueued_at, received_at, recipients, campaign, lane, state,
                                     producer, first_dispatched_at, completed_at, recipient_hashes)
        select overlay(gen_random_uuid()::text placing left(ledger.uuid7_floor(at)::text, 14) || '7'
                       from 1 for 15)::uuid,
               gen_random_uuid(), at, at, 1, 'order-shipped', 'standard', 'accepted', 'shop', at, at,
               array[sha256(number::text::bytea)]
        from (select number, now() - number * interval '1 minute' as at from generate_series(1, 2000) as number) as n
        returning request_id, received_at
    )
    insert into ledger.attempts (request_id, round, attempt, worker, intended_at, dispatched_at, responded_at, outcome,
                                 ambiguous)
    select request_id, 1, 1, gen_random_uuid(), received_at, received_at, received_at, 'accepted', false from made
    order by received_at
"""


async def test_the_search_by_recipient_reads_the_triggers_of_its_window_and_their_attempts_by_key(
    connection: asyncpg.Connection, database_url: str
) -> None:
    query(database_url, MANY)
    put_sent(database_url, ago(minutes=30))
    await store(connection, [told("sent", ago(minutes=29), execution=some_execution())])
    query(database_url, "analyze ledger.triggers, ledger.attempts")
    await connection.execute("set enable_hashjoin = on")
    (asked,) = await connection.fetch("select * from ledger.feedback")
    arguments = [[0], [asked["campaign_id"]], [asked["happened_at"]], ['{"\\\\x00"}']]
    times = timedelta(hours=2), search.AHEAD, search.SLOWEST
    found = await scans(connection, "analyze", search.BY_RECIPIENT, *arguments, *times)
    read = sum(node["Actual Rows"] * node["Actual Loops"] for node in found if "triggers" in node["Relation Name"])
    assert 100 <= read <= 500, "of 2,000 triggers, those of two and a half hours"


async def test_whether_the_ledger_answers_is_asked_of_no_day(connection: asyncpg.Connection) -> None:
    """A health check comes every few seconds, and there are 400."""
    async with connection.transaction():
        await connection.fetch(THERE)
        locked = {row["name"] for row in await connection.fetch(LOCKED)}
    assert {"feedback", "feedback_default"} <= locked
    assert not {name for name in locked if name.startswith("feedback_2")}
