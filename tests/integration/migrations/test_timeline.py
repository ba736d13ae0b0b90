"""``audit.timeline``: one trigger, event by event, told from its rows."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from tests.support.database import query
from tests.support.ledger_rows import NOTHING_KNOWN, after, put_attempt, put_feedback, put_trigger, put_worker

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return after(NOON, seconds)


def put(url: str, **columns: Any) -> UUID:
    """Published at noon, received after a second."""
    return put_trigger(url, NOON, **{"received_at": at(1)} | columns)


def told(url: str, request_id: UUID) -> list[tuple[float, str, str]]:
    rows = query(
        url,
        "select elapsed_seconds, event, detail from audit.timeline where request_id = $1 "
        "order by at, round, attempt, array_position('{announced,dispatched}', event)",
        request_id,
    )
    return [(pytest.approx(row["elapsed_seconds"]), row["event"], row["detail"]) for row in rows]


def test_a_delivered_trigger_is_told_from_the_event_to_its_delivery(database_url: str) -> None:
    ended = {"state": "accepted", "completed_at": at(3.1), "execution_id": "UMA-1", "attempts_started": 1}
    request_id = put(database_url, occurred_at=at(-3), **ended)
    waits = {"token_wait_seconds": 1.5, "slot_wait_seconds": 2e-4}
    put_attempt(database_url, request_id, 1, at(2), adobe_request_id="gw-7", **waits)
    put_feedback(database_url, request_id, "sent", at(60), channel="email")
    put_feedback(database_url, request_id, "bounce", at(70), failure_type="soft", happened_at_is_arrival=True)
    assert told(database_url, request_id) == [
        (0.0, "occurred", ""),
        (3.0, "enqueued", "by shop"),
        (4.0, "received", "by a worker, standard lane"),
        (4.99, "announced", ""),
        (5.0, "dispatched", "token 1.500 s, ledger 0.010 s"),
        (6.0, "accepted", "202, x-request-id gw-7"),
        (6.1, "accepted", "UMA-1"),
        (63.0, "sent", "email, matched by execution-id"),
        (73.0, "bounce", "soft, matched by execution-id, time of arrival"),
    ]


def test_an_announced_attempt_without_an_answer_names_who_has_it(database_url: str) -> None:
    owner = put_worker(database_url)
    request_id = put(database_url, attempts_started=2, last_intent_at=at(9), owner=owner)
    refused = {"http_status": 503, "outcome": "retryable", "error_title": "Busy", "retry_after_seconds": 5.5}
    put_attempt(database_url, request_id, 1, at(2), **refused)
    assert told(database_url, request_id)[-2:] == [
        (3.0, "retryable", "503, Busy, Retry-After 5.5 s"),
        (9.0, "announced", "no answer yet; node-1:4711 has it"),
    ]


def test_a_time_out_is_told_with_its_failure_and_that_it_may_have_been_accepted(database_url: str) -> None:
    request_id = put(database_url, state="unconfirmed", reason="budget-spent", completed_at=at(60), attempts_started=1)
    late = {"http_status": None, "outcome": "retryable", "failure": "answer-timeout", "ambiguous": True}
    put_attempt(database_url, request_id, 1, at(2), **late)
    assert told(database_url, request_id)[-2:] == [
        (3.0, "retryable", "answer-timeout, perhaps accepted"),
        (60.0, "unconfirmed", "budget-spent"),
    ]


def test_an_attempt_cut_off_by_a_death_has_no_dispatch_and_no_answer(database_url: str) -> None:
    dead = put_worker(database_url, hostname="node-2", pid=8)
    request_id = put(database_url, attempts_started=1)
    cut = {**NOTHING_KNOWN, "intended_at": at(2), "outcome": "interrupted", "ambiguous": True}
    put_attempt(database_url, request_id, 1, at(2), worker=dead, **cut)
    assert told(database_url, request_id)[2:] == [
        (2.0, "announced", ""),
        (2.0, "interrupted", "node-2:8 died; it may have been sent"),
    ]


def test_what_operators_did_is_part_of_the_way(database_url: str) -> None:
    request_id = put(database_url, round=2, round_opened_at=at(100), state="parked", reason="redrive")
    (row,) = query(
        database_url,
        "insert into ledger.operations (done_at, triggers, operator, action, reason, chosen) "
        "values ($1, 1, 'alice', 'redrive', 'Adobe is back', '{}') returning operation_id",
        at(90),
    )
    query(
        database_url,
        "insert into ledger.operation_triggers (operation_id, request_id, round, state) values ($1, $2, 1, 'expired')",
        row["operation_id"],
        request_id,
    )
    assert told(database_url, request_id)[-2:] == [
        (90.0, "redrive", "by alice: Adobe is back"),
        (100.0, "round opened", "round 2"),
    ]


def test_a_clock_that_is_ahead_puts_events_before_the_beginning_and_drops_none(database_url: str) -> None:
    ended = {"state": "rejected", "reason": "invalid-payload", "completed_at": at(-3.9)}
    request_id = put(database_url, received_at=at(-4), **ended)
    assert [(elapsed, event) for elapsed, event, _ in told(database_url, request_id)] == [
        (-4.0, "received"),
        (-3.9, "rejected"),
        (0.0, "enqueued"),
    ]


def test_another_trigger_has_another_timeline(database_url: str) -> None:
    put(database_url)
    assert told(database_url, uuid7()) == []
