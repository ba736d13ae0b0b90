"""Feedback is stored once, matched by the ids that it carries, and means the same in whatever order it comes."""

import asyncio
import random
from datetime import datetime
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from ajo_worker.feedback.storing import FeedbackRow, Stored, store

from tests.integration.worker.feedback.triggers import (
    delivery,
    feedback,
    imported,
    put_sent,
    put_unconfirmed,
    some_execution,
    told,
    trigger_row,
)  # fmt: skip
from tests.integration.worker.ledger.workers import until, waiting
from tests.support.database import query
from tests.support.feedback_items import EXCLUSION, FAILURE
from tests.support.ledger_rows import after, ago

NEW, KNOWN = True, False


@pytest.mark.parametrize(
    ("by", "kind"), [("execution", "execution-id"), ("request", "request-id"), ("neither", "none")]
)
async def test_feedback_is_matched_by_the_ids_that_it_carries(
    connection: asyncpg.Connection, database_url: str, by: str, kind: Any
) -> None:
    execution = some_execution()
    request_id = put_sent(database_url, ago(minutes=5), execution=execution)
    put_sent(database_url, ago(minutes=5), execution=some_execution())
    row = told("sent", ago(minutes=4), **{
        "execution": {"execution": execution}, "request": {"request": str(request_id)}, "neither": {},
    }[by])  # fmt: skip
    assert await store(connection, [row]) == [Stored(NEW, kind)]
    (found,) = feedback(database_url, "match, request_id, matched_at, match_due_at")
    assert found["match"] == kind
    assert found["request_id"] == (None if kind == "none" else request_id)
    assert (found["matched_at"] is None) == (kind == "none")
    assert (found["match_due_at"] is None) == (kind != "none")


async def test_an_execution_of_two_triggers_leaves_the_match_open(
    connection: asyncpg.Connection, database_url: str
) -> None:
    for _ in range(2):
        put_sent(database_url, ago(minutes=5), execution="UMA-1")
    assert await store(connection, [told("sent", execution="UMA-1")]) == [Stored(NEW, "ambiguous")]
    assert feedback(database_url) == [{"status": "sent", "match": "ambiguous", "request_id": None}]
    assert query(database_url, "select from ledger.deliveries") == []


async def test_the_second_execution_of_a_trigger_that_was_accepted_twice_leads_to_it_too(
    connection: asyncpg.Connection, database_url: str
) -> None:
    first, second = some_execution(), some_execution()
    request_id = put_sent(database_url, ago(minutes=5), execution=first)
    query(
        database_url,
        "insert into ledger.attempts select * from jsonb_populate_record(null::ledger.attempts, $1::jsonb || "
        "(select to_jsonb(a) - 'attempt' - 'execution_id' from ledger.attempts a where request_id = $2))",
        f'{{"attempt": 2, "execution_id": "{second}"}}',
        request_id,
    )
    sent, again = ago(minutes=4), ago(minutes=2)
    await store(connection, [told("sent", sent, execution=first), told("sent", again, execution=second)])
    found = delivery(database_url, request_id)
    assert (found["departures"], found["departed_at"]) == (2, again)


async def test_the_same_feedback_is_stored_once_however_often_it_comes(
    connection: asyncpg.Connection, database_url: str
) -> None:
    execution = some_execution()
    request_id = put_sent(database_url, ago(minutes=5), execution=execution)
    timed, untimed = told("sent", ago(minutes=4), execution=execution), told("delivered", execution=execution)
    assert await store(connection, [timed, timed, untimed]) == [
        Stored(NEW, "execution-id"), Stored(KNOWN), Stored(NEW, "execution-id")
    ]  # fmt: skip
    before = delivery(database_url, request_id)
    assert await store(connection, [untimed, timed]) == [Stored(KNOWN), Stored(KNOWN)]
    assert delivery(database_url, request_id) == before
    assert len(feedback(database_url)) == 2


async def test_what_comes_from_two_sources_at_once_is_stored_once_and_nothing_of_it_is_lost(
    connection: asyncpg.Connection, database_url: str
) -> None:
    """Each of two transactions would make the deliveries without the other's feedback if they overlapped."""
    execution = some_execution()
    request_id = put_sent(database_url, ago(minutes=9), execution=execution)
    rows = [told("delay", ago(minutes=number), execution=execution) for number in range(8)]
    writers = [await asyncpg.connect(database_url) for _ in range(4)]
    try:
        await asyncio.gather(*(store(writer, rows[start : start + 5]) for start, writer in enumerate(writers)))
    finally:
        for writer in writers:
            writer.terminate()
    assert delivery(database_url, request_id)["delays"] == 8
    assert len(feedback(database_url)) == 8


def story(began: datetime, execution: str) -> list[FeedbackRow]:
    """Two recipients; the one's message is put off and then delivered, the other's bounces. Told by both sources."""

    def of(person: str, status: str, seconds: float, **more: Any) -> list[FeedbackRow]:
        at, facts = after(began, seconds), {"execution": execution, "address": person, **more}
        return [told(status, at, **facts), imported(status, at, **facts)]

    return [
        *of("ada@example.com", "sent", 10),
        *of("ada@example.com", "delay", 20, retries=1),
        *of("ada@example.com", "delay", 30, retries=2),
        *of("ada@example.com", "delivered", 400),
        *of("bob@example.com", "sent", 15),
        *of("bob@example.com", "bounce", 40, failure=FAILURE),
        *of("bob@example.com", "out_of_band", 300),
    ]


@pytest.mark.parametrize("seed", range(5))
async def test_deliveries_are_the_same_in_whatever_order_and_parts_and_however_often_feedback_comes(
    connection: asyncpg.Connection, database_url: str, seed: int
) -> None:
    chance, began, execution = random.Random(seed), ago(hours=1), some_execution()
    people = ("ada@example.com", "bob@example.com", "eve@example.com")
    request_id = put_sent(database_url, began, execution=execution, people=people)
    rows = story(began, execution)
    rows += chance.sample(rows, 5)
    chance.shuffle(rows)
    while rows:
        part, rows = rows[: (size := chance.randint(1, 6))], rows[size:]
        await store(connection, part)
    assert delivery(database_url, request_id) == {
        "request_id": request_id,
        "departed_at": after(began, 15),
        "delivered_at": after(began, 400),
        "failed_at": after(began, 40),
        "departures": 2,
        "deliveries": 1,
        "failures": 1,
        "delays": 2,
        "arrival_stamped": False,
        "match": "execution-id",
        "last_status": "delivered",
        "failure": "bounce Hard 25",
    }


async def test_a_time_of_arrival_counts_until_the_real_one_is_known(
    connection: asyncpg.Connection, database_url: str
) -> None:
    sent, execution = ago(hours=1), some_execution()
    request_id = put_sent(database_url, sent, execution=execution)
    await store(connection, [told("delivered", execution=execution)])
    await store(connection, [told("sent", execution=execution)])
    found, (row, _) = delivery(database_url, request_id), feedback(database_url, "happened_at, received_at")
    assert found["arrival_stamped"]
    assert found["departed_at"] == found["delivered_at"] == row["received_at"] == row["happened_at"], (
        "nothing is delivered before it has departed"
    )
    await store(connection, [imported("sent", after(sent, 7), execution=execution)])
    await store(connection, [imported("delivered", after(sent, 9), execution=execution)])
    found = delivery(database_url, request_id)
    assert (found["departed_at"], found["delivered_at"]) == (after(sent, 7), after(sent, 9))
    assert not found["arrival_stamped"]
    assert (found["departures"], found["deliveries"]) == (1, 1)


@pytest.mark.parametrize("status", ["sent", "error", "an unknown one"])
async def test_feedback_confirms_an_unconfirmed_trigger(
    connection: asyncpg.Connection, database_url: str, status: str
) -> None:
    request_id = put_unconfirmed(database_url, ago(minutes=5))
    before = trigger_row(database_url, request_id)
    await store(connection, [told(status, ago(minutes=4), request=str(request_id), execution="UMA-7")])
    found = trigger_row(database_url, request_id)
    assert (found["state"], found["reason"], found["execution_id"]) == ("accepted", "confirmed-by-feedback", "UMA-7")
    assert found["completed_at"] == before["completed_at"]
    assert (before["held"], found["held"]) == (True, False)


@pytest.mark.parametrize("state", ["sending", "parked", "rejected", "expired", "accepted"])
async def test_feedback_changes_no_other_state(connection: asyncpg.Connection, database_url: str, state: str) -> None:
    request_id = put_unconfirmed(database_url, ago(minutes=5), state=state)
    before = trigger_row(database_url, request_id)
    await store(connection, [told("sent", request=str(request_id))])
    assert trigger_row(database_url, request_id) == before
    assert delivery(database_url, request_id)["departures"] == 1


async def test_the_minutes_of_the_triggers_are_computed_again(
    connection: asyncpg.Connection, database_url: str
) -> None:
    moment, execution = ago(hours=2), some_execution()
    put_sent(database_url, moment, execution=execution)
    for status in ("sent", "delivered"):
        await store(connection, [told(status, execution=execution)])
    minutes = [row["minute"] for row in query(database_url, "select minute from ledger.stale_minutes")]
    assert minutes == [after(moment, -0.5).replace(second=0, microsecond=0)]


async def test_feedback_about_nothing_that_the_ledger_knows_is_kept(
    connection: asyncpg.Connection, database_url: str
) -> None:
    await store(connection, [told("sent", request=str(uuid4())), told("Strange!", ago(days=400))])
    assert [(row["status"], row["match"]) for row in feedback(database_url)] == [("Strange!", "none"), ("sent", "none")]


async def test_a_worker_that_ends_the_same_triggers_is_no_deadlock(
    connection: asyncpg.Connection, database_url: str
) -> None:
    """Feedback locks unconfirmed triggers in the order of their ids, as workers do."""
    ids = sorted(put_unconfirmed(database_url, ago(minutes=5)) for _ in range(6))
    worker = await asyncpg.connect(database_url)
    transaction = worker.transaction()
    await transaction.start()
    await worker.execute("select from ledger.triggers where request_id = $1 for update", ids[0])
    storing = asyncio.create_task(store(connection, [told("sent", request=str(each)) for each in reversed(ids)]))
    await until(lambda: waiting(database_url) == 1, "the first trigger is waited for")
    await worker.execute("select from ledger.triggers where request_id = $1 for update nowait", ids[-1])
    await transaction.rollback()
    await storing
    worker.terminate()
    assert {trigger_row(database_url, each)["state"] for each in ids} == {"accepted"}


async def test_no_address_reaches_any_table(connection: asyncpg.Connection, database_url: str) -> None:
    execution = some_execution()
    put_sent(database_url, ago(minutes=5), execution=execution)
    await store(
        connection, [told("bounce", execution=execution, failure=FAILURE), told("sent", address=FAILURE["reason"])]
    )
    tables = query(
        database_url,
        "select format('%I.%I', table_schema, table_name) as name from information_schema.tables "
        "where table_schema in ('ledger', 'audit') and table_type in ('BASE TABLE', 'VIEW')",
    )
    everything = "".join(
        str(row) for table in tables for row in query(database_url, f"select t::text as row from {table['name']} t")
    )
    assert "(address)" in everything
    assert "example.com" not in everything
    assert "23456789" not in everything


async def test_what_others_started_is_kept_apart_and_nobody_looks_for_its_trigger(
    connection: asyncpg.Connection, database_url: str
) -> None:
    execution = some_execution()
    request_id = put_sent(database_url, ago(minutes=5), execution=execution)
    rows = [
        told("sent", ago(minutes=4), campaign=str(uuid4())),
        told("sent", ago(minutes=3), campaign=None, campaign_type="Scheduled"),
        told("sent", ago(minutes=2), execution=execution, campaign=str(uuid4()), campaign_type="Scheduled"),
        told("sent", ago(minutes=1)),
    ]
    stored = await store(connection, rows)
    assert [one.match for one in stored] == ["apart", "apart", "execution-id", "none"]
    found = feedback(database_url, "match, request_id, match_due_at is not null as due")
    assert [(row["match"], row["request_id"], row["due"]) for row in found] == [
        ("apart", None, False), ("apart", None, False), ("execution-id", request_id, False), ("none", None, True)
    ]  # fmt: skip


async def test_of_a_ledger_without_campaigns_nothing_is_known(connection: asyncpg.Connection) -> None:
    await connection.execute("delete from ledger.campaigns")
    assert await store(connection, [told("sent", campaign=str(uuid4()))]) == [Stored(NEW, "none")]


@pytest.mark.parametrize("by", [told, imported])
async def test_accepted_and_then_excluded_is_counted_shown_and_alerted(
    connection: asyncpg.Connection, database_url: str, by: Any
) -> None:
    execution = some_execution()
    request_id = put_sent(database_url, ago(minutes=5), execution=execution)
    await store(connection, [by("exclude", ago(minutes=4), execution=execution, exclusion=EXCLUSION)])
    found = delivery(database_url, request_id)
    assert (found["failures"], found["departures"]) == (1, 0)
    assert found["failure"] == "exclude CJMRT-050030-422 EmailNotAllowed"
    (row,) = query(database_url, "select * from audit.exclusions")
    assert (row["request_id"], row["code"], row["reason"]) == (request_id, *EXCLUSION.values())
    (event,) = query(database_url, "select detail from audit.timeline where event = 'exclude'")
    assert "CJMRT-050030-422, EmailNotAllowed" in event["detail"]
    (alert,) = query(database_url, "select * from audit.alerts where alert = 'excluded'")
    assert (alert["scope"], alert["value"]) == ("order-shipped/EmailNotAllowed", 1.0)
    assert str(request_id) in alert["summary"]
