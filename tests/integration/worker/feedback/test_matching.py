"""Feedback without an id of ours leads to its trigger by recipient, campaign and time, or is left open: no guesses."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from ajo_worker.feedback import matching
from ajo_worker.feedback.matching import Matching, Rules, confirm_overtaken, make_due, match_unmatched
from ajo_worker.feedback.storing import FeedbackRow, store

from tests.integration.worker.feedback.triggers import (
    delivery,
    feedback,
    imported,
    put_campaign,
    put_sent,
    put_unconfirmed,
    some_execution,
    told,
    trigger_row,
)  # fmt: skip
from tests.integration.worker.ledger.workers import until
from tests.support.database import query
from tests.support.ledger_rows import after, ago, put_attempt

HOURS = timedelta(hours=2)
RULES = Rules(window=HOURS, patience=timedelta(days=7))
SENT_AT = ago(hours=5)


async def matched(connection: asyncpg.Connection, url: str, *rows: FeedbackRow) -> list[tuple[str, UUID | None]]:
    """Store rows and look for their triggers at once; how each was matched, in the order of what they tell of."""
    await store(connection, rows)
    await make_due(connection, timedelta(days=3650))
    await match_unmatched(connection, RULES)
    return [(row["match"], row["request_id"]) for row in feedback(url)]


async def test_the_only_trigger_to_the_recipient_at_the_time_is_found(
    connection: asyncpg.Connection, database_url: str
) -> None:
    request_id = put_sent(database_url, SENT_AT)
    put_sent(database_url, SENT_AT, people=["bob@example.com"])
    put_campaign(database_url, "flash-sale", "another id")
    put_sent(database_url, SENT_AT, campaign="flash-sale")
    row = told("sent", after(SENT_AT, 30))
    assert await matched(connection, database_url, row) == [("recipient", request_id)]
    assert delivery(database_url, request_id)["match"] == "recipient"
    assert delivery(database_url, request_id)["departed_at"] == after(SENT_AT, 30)


@pytest.mark.parametrize(("seconds", "found"), [(-299, True), (-301, False), (7199, True), (7201, False)], ids=str)
async def test_the_window_of_time_has_these_ends(
    connection: asyncpg.Connection, database_url: str, seconds: float, found: bool
) -> None:
    put_sent(database_url, SENT_AT)
    ((kind, _),) = await matched(connection, database_url, told("sent", after(SENT_AT, seconds)))
    assert kind == ("recipient" if found else "none")


async def test_several_triggers_to_the_recipient_leave_the_match_open(
    connection: asyncpg.Connection, database_url: str
) -> None:
    put_sent(database_url, SENT_AT)
    put_sent(database_url, after(SENT_AT, 600))
    row = told("sent", after(SENT_AT, 700))
    assert await matched(connection, database_url, row) == [("ambiguous", None)]
    assert query(database_url, "select from ledger.deliveries") == []


REFUSED = {"outcome": "refused", "http_status": 400}
TIMED_OUT = {"outcome": "retryable", "ambiguous": True, "http_status": None}


@pytest.mark.parametrize(
    ("attempt", "columns", "found"),
    [
        (REFUSED, {"state": "rejected"}, False),
        ({"outcome": "retryable", "http_status": 503}, {"state": "expired"}, False),
        (TIMED_OUT, {"state": "unconfirmed"}, True),
        (TIMED_OUT, {"state": "parked"}, True),
        (REFUSED, {"state": "sending", "attempts_started": 2}, True),
    ],
)
async def test_only_what_may_have_been_accepted_is_a_candidate(
    connection: asyncpg.Connection, database_url: str, attempt: dict[str, Any], columns: dict[str, Any], found: bool
) -> None:
    put_sent(database_url, SENT_AT, attempt=attempt, **columns)
    ((kind, _),) = await matched(connection, database_url, told("sent", after(SENT_AT, 60)))
    assert (kind == "recipient") == found


async def test_a_trigger_in_flight_keeps_an_earlier_one_from_seeming_the_only_one(
    connection: asyncpg.Connection, database_url: str
) -> None:
    put_sent(database_url, SENT_AT)
    in_flight = put_sent(database_url, after(SENT_AT, 600), state="sending", completed_at=None)
    query(database_url, "delete from ledger.attempts where request_id = $1", in_flight)
    row = told("sent", after(SENT_AT, 610), execution="UMA-in-flight")
    assert await matched(connection, database_url, row) == [("ambiguous", None)]
    put_attempt(database_url, in_flight, 1, after(SENT_AT, 600), execution_id="UMA-in-flight")
    assert await matched(connection, database_url) == [("execution-id", in_flight)]


async def test_a_trigger_that_was_redriven_long_after_it_came_is_found(
    connection: asyncpg.Connection, database_url: str
) -> None:
    request_id = put_sent(database_url, SENT_AT, attempt=REFUSED, round=2)
    redriven = after(SENT_AT, 3 * 3600)
    put_attempt(database_url, request_id, 1, redriven, round=2)
    row = told("sent", after(redriven, 5))
    assert await matched(connection, database_url, row) == [("recipient", request_id)]


async def test_what_comes_days_later_follows_its_companion(connection: asyncpg.Connection, database_url: str) -> None:
    """A soft bounce is retried for 84 hours; the window of the first match is long over then."""
    sent_at = ago(days=4)
    request_id = put_sent(database_url, sent_at)
    sent = told("sent", after(sent_at, 30), execution="UMA-1")
    late = told("bounce", after(sent_at, 80 * 3600), execution="UMA-1")
    other_person = told("bounce", after(sent_at, 80 * 3600 + 1), execution="UMA-1", address="eve@example.com")
    other_message = told("bounce", after(sent_at, 80 * 3600 + 2), execution="UMA-2")
    assert await matched(connection, database_url, late, sent, other_person, other_message) == [
        ("recipient", request_id),
        ("none", None),
        ("none", None),
        ("none", None),
    ]
    assert (await matched(connection, database_url))[1:] == [("recipient", request_id), ("none", None), ("none", None)]
    assert delivery(database_url, request_id)["failed_at"] == after(sent_at, 80 * 3600)


async def test_a_single_recipient_match_confirms_an_unconfirmed_trigger(
    connection: asyncpg.Connection, database_url: str
) -> None:
    request_id = put_unconfirmed(database_url, SENT_AT)
    await matched(connection, database_url, told("sent", after(SENT_AT, 60), execution="UMA-9"))
    found = trigger_row(database_url, request_id)
    assert (found["state"], found["reason"], found["execution_id"]) == ("accepted", "confirmed-by-feedback", "UMA-9")


async def test_feedback_that_comes_before_the_answer_is_recorded_is_matched_later(
    connection: asyncpg.Connection, database_url: str
) -> None:
    execution = some_execution()
    row = told("sent", execution=execution, address="nobody@example.com")
    assert await matched(connection, database_url, row) == [("none", None)]
    request_id = put_sent(database_url, ago(seconds=5), execution=execution)
    assert await matched(connection, database_url) == [("execution-id", request_id)]
    assert delivery(database_url, request_id)["departures"] == 1


async def test_a_trigger_that_ends_unconfirmed_after_its_feedback_is_confirmed(
    connection: asyncpg.Connection, database_url: str
) -> None:
    request_id = put_unconfirmed(database_url, ago(minutes=2), state="sending", reason=None)
    await store(connection, [told("sent", request=str(request_id))])
    query(database_url, "update ledger.triggers set state = 'unconfirmed', reason = 'budget-spent'")
    assert await confirm_overtaken(connection, timedelta(hours=1)) == 1
    assert trigger_row(database_url, request_id)["state"] == "accepted"
    assert await confirm_overtaken(connection, timedelta(hours=1)) == 0


async def test_what_is_not_found_is_looked_for_ever_more_seldom_and_then_given_up(
    connection: asyncpg.Connection, database_url: str
) -> None:
    waits = "select extract(epoch from match_due_at - clock_timestamp())::float8 as s from ledger.feedback"
    await store(connection, [imported("sent", ago(days=30))])
    assert query(database_url, waits)[0]["s"] <= 0, "what is imported is looked for at once"
    for aged, least, most in ((30, 58, 61), (3600, 3590, 3660), (6 * 86_400, 6 * 86_400 - 60, 6 * 86_400 + 60)):
        received = (
            f"update ledger.feedback set received_at = clock_timestamp() - interval '{aged} s', match_due_at = now()"
        )
        query(database_url, received)
        assert (await match_unmatched(connection, RULES)).kinds == {"none": 1}
        assert least <= query(database_url, waits)[0]["s"] <= most
        assert (await match_unmatched(connection, RULES)).looked_at == 0, "it is not due"
    query(database_url, "update ledger.feedback set received_at = now() - interval '8 days', match_due_at = now()")
    await match_unmatched(connection, RULES)
    assert query(database_url, waits)[0]["s"] is None
    assert await make_due(connection, timedelta(days=9)) == 1


async def test_a_webhook_gives_the_answer_of_its_call_a_minute_to_be_recorded(
    connection: asyncpg.Connection, database_url: str
) -> None:
    put_sent(database_url, ago(minutes=1))
    await store(connection, [told("sent", ago())])
    assert (await match_unmatched(connection, RULES)).looked_at == 0


async def test_workers_match_every_while_one_at_a_time(
    connection: asyncpg.Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "EVERY", 0.01)
    request_id = put_sent(database_url, ago(minutes=9))
    await store(connection, [told("sent", ago(minutes=8))])
    await make_due(connection, timedelta(days=1))
    faults = [OSError(), RuntimeError("never seen before")]

    async def connect() -> asyncpg.Connection:
        if faults:
            raise faults.pop()
        return await asyncpg.connect(database_url)

    await connection.fetchval(matching.CLAIM)
    workers = [Matching(connect, RULES) for _ in range(2)]
    for worker in workers:
        worker.start()
    await until(lambda: not faults, "both faults")
    assert feedback(database_url)[0]["match"] == "none", "another one is at it"
    await connection.close()
    await until(lambda: delivery(database_url, request_id), "the deliveries")
    await asyncio.gather(*(worker.stop() for worker in workers))


async def test_more_than_a_batch_is_matched_in_several(
    connection: asyncpg.Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "BATCH", 2)
    rows = [imported("sent", after(SENT_AT, number), execution=str(uuid4())) for number in range(5)]
    request_id = put_sent(database_url, SENT_AT)
    shown: list[int] = []
    await store(connection, rows)
    assert (await match_unmatched(connection, RULES, most=2)).looked_at == 4
    assert (await match_unmatched(connection, RULES, progress=shown.append)).kinds == {"recipient": 1}
    assert shown == [1]
    assert delivery(database_url, request_id)["departures"] == 5
