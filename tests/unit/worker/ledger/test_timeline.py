"""What happened to a trigger, told from its rows."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from ajo_worker.ledger.timeline import events, is_in_flight

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
WORKER = UUID("019ab5f0-0000-7000-8000-000000000001")


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def trigger(**columns: Any) -> dict[str, Any]:
    """Published at noon, received after a second, dispatched after two."""
    row = {
        "occurred_at": None,
        "enqueued_at": NOON,
        "received_at": at(1),
        "round_opened_at": None,
        "last_intent_at": at(2),
        "completed_at": None,
        "lane": "standard",
        "producer": "shop",
        "round": 1,
        "attempts_started": 1,
        "state": "sending",
        "reason": None,
        "execution_id": None,
        "owner": WORKER,
        "owner_place": "node-1:7",
        "owner_status": "alive",
    }
    return row | columns


def attempt(number: int, dispatched: float, **columns: Any) -> dict[str, Any]:
    """Announced 10 ms before its dispatch, answered after half a second."""
    row = {
        "round": 1,
        "attempt": number,
        "intended_at": at(dispatched - 0.01),
        "dispatched_at": at(dispatched),
        "responded_at": at(dispatched + 0.5),
        "backoff_wait_seconds": 0.0,
        "slot_wait_seconds": 0.0,
        "rate_limit_wait_seconds": 0.0,
        "token_wait_seconds": 0.0,
        "ledger_wait_seconds": 0.01,
        "http_status": 202,
        "outcome": "accepted",
        "failure": None,
        "error_code": None,
        "error_title": None,
        "retry_after_seconds": None,
        "ambiguous": False,
        "adobe_request_id": None,
        "worker": WORKER,
        "worker_place": None,
    }
    return row | columns


def told(row: dict[str, Any], attempts: list[dict[str, Any]]) -> list[tuple[float, str, str]]:
    return [(event.elapsed_seconds, event.what, event.detail) for event in events(row, attempts)]


def test_an_accepted_trigger_is_told_from_the_event_to_its_end() -> None:
    row = trigger(occurred_at=at(-3), state="accepted", completed_at=at(2.6), execution_id="UMA-1")
    assert told(row, [attempt(1, 2, adobe_request_id="gw-7")]) == [
        (0.0, "occurred", "by the event's source's clock"),
        (3.0, "enqueued", "by shop, its clock"),
        (4.0, "received", "by a worker, standard lane"),
        (4.99, "attempt 1 announced", ""),
        (5.0, "attempt 1 dispatched", "after ledger 0.010 s"),
        (5.5, "attempt 1 accepted", "202, x-request-id gw-7"),
        (5.6, "accepted", "UMA-1"),
    ]


def test_without_the_events_time_it_all_begins_with_publishing() -> None:
    assert told(trigger(), [])[0] == (0.0, "enqueued", "by shop, its clock")


def test_an_announced_attempt_without_an_answer_names_its_owner_and_whether_that_lives() -> None:
    row = trigger(attempts_started=2, last_intent_at=at(9), owner_status="dead")
    refused = attempt(1, 2, http_status=503, outcome="retryable", error_title="Busy", retry_after_seconds=5.5)
    assert told(row, [refused])[-2:] == [
        (2.5, "attempt 1 retryable", "503, Busy, Retry-After 5.5 s"),
        (9.0, "attempt 2 announced", "no answer yet; node-1:7 is dead"),
    ]
    assert is_in_flight(row, [refused])


def test_between_two_attempts_nothing_is_in_flight() -> None:
    row = trigger(attempts_started=1)
    assert not is_in_flight(row, [attempt(1, 2, outcome="retryable")])
    assert not is_in_flight(trigger(attempts_started=0), [])
    assert is_in_flight(trigger(round=2, attempts_started=1), [attempt(1, 2)]), "the same number in another round"


def test_a_time_out_is_told_with_its_failure_and_that_it_may_have_been_accepted() -> None:
    late = attempt(1, 2, http_status=None, outcome="retryable", failure="answer-timeout", ambiguous=True)
    row = trigger(state="unconfirmed", reason="budget-spent", completed_at=at(60))
    assert told(row, [late])[-2:] == [
        (2.5, "attempt 1 retryable", "answer-timeout, perhaps accepted"),
        (60.0, "unconfirmed", "budget-spent"),
    ]


def test_an_attempt_cut_off_by_a_death_has_no_dispatch_and_no_answer() -> None:
    unknown = dict.fromkeys(f"{name}_wait_seconds" for name in ("backoff", "slot", "rate_limit", "token", "ledger"))
    cut = {**unknown, "intended_at": at(2), "responded_at": None, "http_status": None, "ambiguous": True}
    row = trigger(attempts_started=2, last_intent_at=at(20), owner_place=None, owner_status="unknown")
    first = attempt(1, 2, outcome="interrupted", worker_place="node-2:8", **cut)
    assert told(row, [first])[2:] == [
        (2.0, "attempt 1 announced", ""),
        (2.0, "attempt 1 interrupted", "node-2:8 died; it may have been sent"),
        (20.0, "attempt 2 announced", f"no answer yet; {WORKER} is unknown"),
    ]


def test_attempts_of_later_rounds_carry_their_round() -> None:
    row = trigger(round=2, round_opened_at=at(100), state="accepted", completed_at=at(103))
    names = [what for _, what, _ in told(row, [attempt(1, 2, outcome="retryable"), attempt(1, 102, round=2)])]
    assert names[2:] == [
        *("attempt 1 announced", "attempt 1 dispatched", "attempt 1 retryable"),
        "round opened",
        *("attempt 2.1 announced", "attempt 2.1 dispatched", "attempt 2.1 accepted"),
        "accepted",
    ]


def test_a_clock_that_is_ahead_puts_events_before_the_beginning_and_drops_none() -> None:
    row = trigger(received_at=at(-4), state="rejected", reason="invalid-payload", completed_at=at(-3.9))
    assert [(elapsed, what) for elapsed, what, _ in told(row | {"attempts_started": 0}, [])] == [
        (-4.0, "received"),
        (-3.9, "rejected"),
        (0.0, "enqueued"),
    ]


def test_waits_that_read_as_nothing_are_left_out() -> None:
    waits = {"slot_wait_seconds": 0.0004, "token_wait_seconds": 1.5, "ledger_wait_seconds": 0.0}
    assert told(trigger(), [attempt(1, 2, **waits)])[3] == (2.0, "attempt 1 dispatched", "after token 1.500 s")
