"""``ajo-dispatch status REQUEST_ID``: the whole way of one trigger, as the ledger has it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from tests.support.database import query
from tests.support.ledger_rows import (
    NOTHING_KNOWN,
    accepted_after_retries,
    after,
    ago,
    put_attempt,
    put_trigger,
    put_worker,
)
from tests.support.programs import Finished

Cli = Callable[..., Finished]


@pytest.fixture
def status(run_cli: Cli, database_url: str) -> Cli:
    def run(*arguments: str) -> Finished:
        return run_cli("status", *arguments, env={"AJO_DATABASE_URL": database_url})

    return run


def read(done: Finished) -> Any:
    assert (done.code, done.err) == (0, "")
    return json.loads(done.out)


def phases_of(timeline: dict[str, Any]) -> tuple[float, float]:
    """The sum of the phases with the residual, and the total."""
    spent = [phase["seconds"] or 0.0 for phase in timeline["phases"] if not phase["after_end"]]
    return sum(spent), timeline["delay"]["total_seconds"]


def spent(timeline: dict[str, Any], phase: str) -> float | None:
    """The seconds of a phase."""
    return next(each["seconds"] for each in timeline["phases"] if each["phase"] == phase)


def test_a_trigger_accepted_after_retries_shows_every_step_and_phases_that_sum_to_the_total(
    status: Cli, database_url: str
) -> None:
    request_id = str(accepted_after_retries(database_url))
    found = read(status(request_id, "--json"))
    assert found["trigger"]["request_id"] == request_id
    assert found["trigger"]["recipient_hashes"] == ["ab" * 32]
    assert found["trigger"]["owner_place"] == "node-1:4711"
    assert [attempt["http_status"] for attempt in found["attempts"]] == [503, None, 202]
    assert [event["what"] for event in found["events"]] == [
        "occurred",
        "enqueued",
        "received",
        *("attempt 1 announced", "attempt 1 dispatched", "attempt 1 retryable"),
        *("attempt 2 announced", "attempt 2 dispatched", "attempt 2 retryable"),
        *("attempt 3 announced", "attempt 3 dispatched", "attempt 3 accepted"),
        "accepted",
    ]
    assert spent(found, "producer") == pytest.approx(1)
    assert spent(found, "broker") == pytest.approx(0.5)
    assert spent(found, "slot") == pytest.approx(0.1)
    assert spent(found, "token") == pytest.approx(0.2)
    assert spent(found, "other") == pytest.approx((0.5 - 0.2 - 0.1 - 0.01) + (3 - 1 - 1.98 - 0.01))
    assert spent(found, "back-off") == pytest.approx(1.98 + 0.49)
    assert spent(found, "headers") == pytest.approx(0.9 + 3 + 0.9)
    assert spent(found, "body") == pytest.approx(0.1 + 0.1)
    assert spent(found, "ending") == pytest.approx(0.02)
    assert found["delay"]["clock_skew"] is False
    whole, total = phases_of(found)
    assert whole == pytest.approx(total)
    assert total == pytest.approx(9.52)

    text = status(request_id)
    assert text.code == 0
    for told in (
        "order-shipped (standard lane)",
        "UMA-1234",
        "yes: ambiguous-answer",
        "503, CJMRT-110100-500, Busy [for a while]",
        "Retry-After 2 s",
        "answer-timeout, perhaps accepted",
        "back-off 1.980 s, ledger 0.010 s",
        "Delayed by: Adobe's API 7.270 s",
    ):
        assert told in text.out
    assert "\x1b" not in text.out
    rows = {line.split()[0]: line.split() for line in text.out.splitlines() if line.strip()}
    assert rows["total"][1] == "9.520"
    assert rows["headers"][1:3] == ["4.800", "50.4%"]
    assert "held" not in rows, "a phase that took no time is left out"


def test_a_trigger_under_way_shows_its_announced_attempt_and_leaves_unknown_what_is_not_over(
    status: Cli, database_url: str
) -> None:
    enqueued, owner = ago(seconds=30), put_worker(database_url)
    first = after(enqueued, 1)
    request_id = put_trigger(
        database_url, enqueued, owner=owner, attempts_started=1, first_dispatched_at=first, last_intent_at=first
    )
    found = read(status(str(request_id), "--json"))
    assert found["delay"]["total_seconds"] is None
    assert spent(found, "ending") is None
    assert spent(found, "broker") == pytest.approx(0.5)
    assert found["trigger"]["recipient_hashes"] is None
    assert found["events"][-1]["what"] == "attempt 1 announced"
    assert found["events"][-1]["detail"] == "no answer yet; node-1:4711 has it"
    text = status(str(request_id)).out
    assert "sending: an attempt is under way; its worker node-1:4711 is alive" in text
    assert "It has not come to its end" in text


def test_a_rejected_trigger_shows_the_reason_and_that_its_payload_is_held(status: Cli, database_url: str) -> None:
    enqueued = ago(minutes=1)
    request_id = put_trigger(
        database_url, enqueued, state="rejected", reason="invalid-payload", completed_at=after(enqueued, 0.6)
    )
    query(
        database_url,
        "insert into ledger.held_payloads (request_id, round, held_at, campaign, reason, payload) "
        "values ($1, 1, now(), 'order-shipped', 'invalid-payload', '{}')",
        request_id,
    )
    found = read(status(str(request_id), "--json"))
    assert found["trigger"]["payload_held"] is True
    assert found["attempts"] == []
    assert found["events"][-1]["detail"] == "invalid-payload"
    assert spent(found, "other") == pytest.approx(0.1)
    assert phases_of(found)[0] == pytest.approx(0.6)
    text = status(str(request_id)).out
    assert "rejected: invalid-payload" in text


def test_a_takeover_shows_the_attempt_cut_off_and_the_time_until_the_next_worker(
    status: Cli, database_url: str
) -> None:
    enqueued = ago(minutes=2)
    dead = put_worker(database_url, heartbeat_at=after(enqueued, 1), hostname="node-2", pid=8)
    owner = put_worker(database_url)
    first, second = after(enqueued, 1), after(enqueued, 21)
    request_id = put_trigger(
        database_url,
        enqueued,
        state="accepted",
        owner=owner,
        fence=2,
        redeliveries=1,
        attempts_started=2,
        first_dispatched_at=first,
        last_intent_at=second,
        completed_at=after(second, 1),
        possible_duplicate=True,
        duplicate_causes=["worker-crash"],
    )
    cut_off = {**NOTHING_KNOWN, "intended_at": first, "outcome": "interrupted", "ambiguous": True}
    put_attempt(database_url, request_id, 1, first, worker=dead, **cut_off)
    put_attempt(database_url, request_id, 2, second, worker=owner)
    found = read(status(str(request_id), "--json"))
    interrupted = next(event for event in found["events"] if event["what"] == "attempt 1 interrupted")
    assert interrupted["detail"] == "node-2:8 died; it may have been sent"
    assert found["attempts"][0]["responded_at"] is None
    assert spent(found, "handover") == pytest.approx(20 - 0.01)
    whole, total = phases_of(found)
    assert whole == pytest.approx(total) == pytest.approx(22)
    text = status(str(request_id)).out
    assert "yes: worker-crash" in text
    assert "taken over" in text


def test_a_negative_wait_in_the_broker_is_shown_as_it_is_and_called_skew(status: Cli, database_url: str) -> None:
    enqueued = ago(minutes=1)
    received = after(enqueued, -3.2)
    request_id = put_trigger(
        database_url,
        enqueued,
        received_at=received,
        state="accepted",
        attempts_started=1,
        first_dispatched_at=after(received, 0.2),
        completed_at=after(received, 1.2),
    )
    put_attempt(database_url, request_id, 1, after(received, 0.2))
    found = read(status(str(request_id), "--json"))
    assert spent(found, "broker") == pytest.approx(-3.2)
    assert found["delay"]["clock_skew"] is True
    assert found["events"][0]["what"] == "received"
    assert found["events"][0]["elapsed_seconds"] == pytest.approx(-3.2)
    whole, total = phases_of(found)
    assert whole == pytest.approx(total) == pytest.approx(-2)
    text = status(str(request_id)).out
    assert "-3.200" in text
    assert "Clock skew" in text


def test_an_unknown_request_id_is_a_failure_and_not_an_empty_report(status: Cli) -> None:
    request_id = str(uuid7())
    done = status(request_id, "--json")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"error: the ledger has no trigger and no batch {request_id}: ")
