"""``audit.delays`` names the system that holds the delay, by the service levels, and says where it can't know."""

from datetime import UTC, datetime
from typing import Any, get_args
from uuid import UUID

import pytest
from ajo_worker.api.answer import OURS, FailureKind

from tests.support.database import query
from tests.support.ledger_rows import after, put_attempt, put_delivery, put_trigger, put_worker

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LONG_AGO = datetime(2026, 11, 20, tzinfo=UTC)
FIELDS = ("producer", "outbox", "broker", "slot", "back_off", "token", "headers", "departure", "delivery")


def at(seconds: float) -> datetime:
    return after(NOON, seconds)


def put_way(url: str, **took: float) -> UUID:
    """An accepted and delivered trigger whose phases took so many seconds, 50 ms unless they are given."""
    phase = dict.fromkeys(FIELDS, 0.05) | {"departure": 5.0, "delivery": 20.0} | took
    enqueued = phase["producer"] + phase["outbox"]
    received = enqueued + phase["broker"]
    dispatched = received + phase["slot"] + phase["token"] + phase["back_off"] + 0.01
    completed = dispatched + phase["headers"] + 0.01
    request_id = put_trigger(
        url, at(enqueued), occurred_at=NOON, outbox_at=at(phase["producer"]), received_at=at(received),
        state="accepted", completed_at=at(completed), first_dispatched_at=at(dispatched), attempts_started=1,
    )  # fmt: skip
    put_attempt(
        url, request_id, 1, at(dispatched), slot_wait_seconds=phase["slot"], token_wait_seconds=phase["token"],
        backoff_wait_seconds=phase["back_off"], to_headers_seconds=phase["headers"], to_body_seconds=phase["headers"],
        responded_at=at(dispatched + phase["headers"]),
    )  # fmt: skip
    departed = completed + phase["departure"]
    put_delivery(url, request_id, departed_at=at(departed), delivered_at=at(departed + phase["delivery"]))
    return request_id


def delays(url: str, request_id: UUID) -> dict[str, Any]:
    (row,) = query(url, "select * from audit.delays where request_id = $1", request_id)
    return row


@pytest.fixture
def url(database_url: str) -> str:
    """A database whose worker has lived all the time."""
    put_worker(database_url, started_at=LONG_AGO)
    return database_url


@pytest.mark.parametrize(
    ("late", "system", "phase"),
    [
        ({"producer": 9}, "producer", "producer"),
        ({"outbox": 9}, "producer", "outbox"),
        ({"broker": 3}, "broker", "broker"),
        ({"slot": 4}, "worker", "slot"),
        ({"token": 4}, "adobe-api", "token"),
        ({"back_off": 4}, "adobe-api", "back-off"),
        ({"headers": 4}, "adobe-api", "headers"),
        ({"departure": 70}, "adobe-departure", "departure"),
        ({"delivery": 400}, "downstream", "delivery"),
    ],
)
def test_the_system_of_the_late_phase_is_named_with_its_seconds(
    url: str, late: dict[str, float], system: str, phase: str
) -> None:
    row = delays(url, put_way(url, **late))
    [seconds] = late.values()
    assert (row["system"], row["phase"], row["systems"], row["late_phases"]) == (system, phase, [system], [phase])
    assert row["delay_seconds"] == pytest.approx(seconds)


def test_nothing_late_is_nobodys_fault(url: str) -> None:
    row = delays(url, put_way(url))
    assert (row["system"], row["phase"], row["delay_seconds"], row["systems"]) == ("none", None, None, [])
    assert row["end_to_end_seconds"] == pytest.approx(0.05 * 7 + 0.02 + 25)


def test_two_guilty_systems_are_both_named_the_worse_one_first(url: str) -> None:
    row = delays(url, put_way(url, producer=9, headers=30))
    assert (row["systems"], row["system_seconds"]) == (["adobe-api", "producer"], pytest.approx([30, 9]))
    assert row["late_phases"] == ["headers", "producer"]


def test_late_phases_of_one_system_are_charged_together(url: str) -> None:
    row = delays(url, put_way(url, token=4, headers=5))
    assert (row["systems"], row["system_seconds"], row["phase"]) == (["adobe-api"], pytest.approx([9]), "headers")


def test_a_campaign_has_service_levels_of_its_own_and_the_common_ones_for_the_rest(url: str) -> None:
    query(url, "insert into ledger.service_levels values ('order-shipped', 'broker', 10)")
    assert delays(url, put_way(url, broker=9))["system"] == "none"
    assert delays(url, put_way(url, broker=11))["system"] == "broker"
    assert delays(url, put_way(url, slot=4))["system"] == "worker"


@pytest.mark.parametrize("state", ["sending", "parked", "accepted", "unconfirmed"])
def test_without_feedback_it_is_not_yet_known_unless_something_is_late_already(url: str, state: str) -> None:
    ended = {"completed_at": at(1)} if state in {"accepted", "unconfirmed"} else {}
    assert delays(url, put_trigger(url, NOON, state=state, **ended))["system"] == "not-yet-known"
    late = put_trigger(url, NOON, received_at=at(5), state=state, **({"completed_at": at(6)} if ended else {}))
    assert delays(url, late)["system"] == "broker"


@pytest.mark.parametrize("state", ["rejected", "expired"])
def test_what_never_reached_adobe_needs_no_feedback(url: str, state: str) -> None:
    assert delays(url, put_trigger(url, NOON, state=state, completed_at=at(1)))["system"] == "none"


def test_a_departure_without_a_delivery_is_not_yet_known(url: str) -> None:
    request_id = put_trigger(url, NOON, state="accepted", completed_at=at(1))
    put_delivery(url, request_id, departed_at=at(2))
    assert delays(url, request_id)["system"] == "not-yet-known"


def test_a_message_that_departs_before_a_slow_answer_comes_contradicts_no_clock(url: str) -> None:
    row = delays(url, put_way(url, headers=50, departure=-48))
    assert (row["systems"], row["clock_skew"]) == (["adobe-api"], False)


def test_a_message_that_departs_before_its_call_contradicts_a_clock(url: str) -> None:
    row = delays(url, put_way(url, departure=-48))
    assert (row["systems"], row["clock_skew"]) == (["clocks"], True)


def queued(url: str, seconds: float, **columns: Any) -> dict[str, Any]:
    """A trigger that was in the queue from noon on."""
    came = {"received_at": at(seconds), "completed_at": at(seconds)}
    return delays(url, put_trigger(url, NOON, state="rejected", **came, **columns))


def test_time_in_the_queue_while_no_worker_lived_is_ours_and_the_rest_the_brokers(database_url: str) -> None:
    put_worker(database_url, started_at=LONG_AGO, heartbeat_at=at(5), stopped_at=None)
    put_worker(database_url, started_at=at(20))
    row = queued(database_url, 23)
    assert (row["absent_seconds"], row["broker_seconds"]) == (pytest.approx(15), pytest.approx(8))
    assert row["systems"] == ["worker", "broker"]


def test_a_worker_of_another_lane_is_no_help(database_url: str) -> None:
    put_worker(database_url, started_at=LONG_AGO, lanes=["high-throughput"])
    assert queued(database_url, 9)["absent_seconds"] == pytest.approx(9)


def test_time_in_the_queue_while_workers_were_full_is_ours(url: str) -> None:
    worker = put_worker(url, started_at=LONG_AGO)
    query(url, "insert into ledger.full_intakes values ($1, $2, $3)", worker, at(-3), at(6))
    row = queued(url, 8)
    assert (row["full_seconds"], row["broker_seconds"], row["system"]) == (pytest.approx(6), pytest.approx(2), "worker")


OUTAGE = (
    "insert into ledger.outages (opened_at, ended_at, recovered_at, scope, reason, opened_by, evidence) "
    "values ($1, $2, $3, $4, $5, 'x', '{}')"
)


@pytest.mark.parametrize("scope", ["destination:standard@platform.adobe.io", "campaign:order-shipped"])
def test_an_outage_is_charged_to_adobe_until_all_is_as_before(url: str, scope: str) -> None:
    query(url, OUTAGE, at(2), at(30), at(40), scope, "sustained-failures")
    row = queued(url, 45)
    assert (row["outage_seconds"], row["broker_seconds"]) == (pytest.approx(38), pytest.approx(7))
    assert row["systems"] == ["adobe-api", "broker"]


def test_an_outage_of_another_lane_or_campaign_explains_nothing(url: str) -> None:
    query(url, OUTAGE, at(0), at(9), at(9), "destination:high-throughput@platform.adobe.io", "sustained-failures")
    query(url, OUTAGE, at(0), at(9), at(9), "campaign:flash-sale", "campaign-failing")
    assert queued(url, 9)["system"] == "broker"


def test_the_ledger_and_the_worker_know_the_same_failures_of_our_own_side(url: str) -> None:
    rows = query(
        url, "select f as failure from unnest($1::text[]) as f where ledger.is_ours(f)", list(get_args(FailureKind))
    )
    assert {row["failure"] for row in rows} == OURS


@pytest.mark.parametrize("ours", sorted(OURS))
def test_what_our_own_side_failed_and_the_back_off_after_it_is_ours(url: str, ours: str) -> None:
    """Two calls that didn't leave our side, one that got 503, one accepted; each but the first after a back-off."""
    request_id = put_trigger(url, NOON, received_at=at(0.1), state="accepted", completed_at=at(30), attempts_started=4)
    way = [(0.2, 3.0, ours, 0.0), (5.2, 3.0, ours, 2.0), (12.2, 1.0, None, 4.0), (21.2, 0.5, None, 8.0)]
    for number, (dispatched, took, failure, waited) in enumerate(way, start=1):
        put_attempt(
            url, request_id, number, at(dispatched), responded_at=at(dispatched + took), failure=failure,
            to_body_seconds=took, to_headers_seconds=None if failure else took, backoff_wait_seconds=waited,
            http_status={3: 503, 4: 202}.get(number), outcome="accepted" if number == 4 else "retryable",
        )  # fmt: skip
    row = delays(url, request_id)
    assert row["proxy_seconds"] == pytest.approx(3 + 3 + 2 + 4)
    assert (row["back_off_seconds"], row["headers_seconds"]) == (pytest.approx(8), pytest.approx(1.5))
    assert row["systems"] == ["worker", "adobe-api"]


def test_an_outage_of_our_proxy_is_ours(url: str) -> None:
    query(url, OUTAGE, at(2), at(30), at(40), "destination:standard@platform.adobe.io", "proxy-failing")
    row = queued(url, 45)
    assert (row["proxy_seconds"], row["outage_seconds"], row["broker_seconds"]) == (
        pytest.approx(38),
        0,
        pytest.approx(7),
    )
    assert row["system"] == "worker"


def test_a_wait_after_the_proxy_that_led_to_no_call_is_ours(url: str) -> None:
    request_id = put_trigger(url, NOON, received_at=at(0.1), state="expired", completed_at=at(9), attempts_started=1)
    put_attempt(
        url, request_id, 1, at(0.2), responded_at=at(1.2), failure="proxy", to_body_seconds=1.0, outcome="retryable"
    )
    query(
        url,
        "update ledger.triggers set waited_in_vain = '{\"backoff_wait_seconds\": 7}' where request_id = $1",
        request_id,
    )
    row = delays(url, request_id)
    assert (row["proxy_seconds"], row["back_off_seconds"]) == (pytest.approx(8), 0)


@pytest.mark.parametrize("lane", ["standard", "high-throughput"])
@pytest.mark.parametrize(
    ("reason", "ours"), [("token-unavailable", False), ("credentials-refused", True), ("held", True)]
)
def test_without_a_token_every_lane_waits_for_adobe_unless_it_is_we_who_are_refused(
    url: str, lane: str, reason: str, ours: bool
) -> None:
    query(url, OUTAGE, at(0), at(38), at(38), "token:ims.example.com", reason)
    row = queued(url, 45, lane=lane)
    assert (row["held_seconds" if ours else "outage_seconds"], row["broker_seconds"]) == (
        pytest.approx(38),
        pytest.approx(7),
    )
    assert row["system"] == ("worker" if ours else "adobe-api")


def test_an_operators_hold_is_ours_also_where_it_follows_an_outage(url: str) -> None:
    scope = "destination:standard@platform.adobe.io"
    query(url, OUTAGE, at(0), at(10), None, scope, "sustained-failures")
    query(url, OUTAGE, at(10), at(30), at(31), scope, "held")
    row = queued(url, 31)
    assert (row["outage_seconds"], row["held_seconds"]) == (pytest.approx(10), pytest.approx(21))
    assert row["systems"] == ["worker", "adobe-api"]


def test_between_rounds_an_outage_is_charged_to_adobe_and_the_wait_for_an_operator_to_us(url: str) -> None:
    query(url, OUTAGE, at(0), at(100), at(110), "destination:standard@platform.adobe.io", "suspected-cosmos")
    request_id = put_trigger(
        url, at(-1), received_at=NOON, state="accepted", round=2, fence=2, round_opened_at=at(500), completed_at=at(501)
    )
    put_attempt(url, request_id, 1, at(0.5), round=1, outcome="retryable", http_status=500)
    put_attempt(url, request_id, 1, at(500), round=2, ledger_wait_seconds=0.0)
    row = delays(url, request_id)
    assert (row["outage_seconds"], row["redrive_seconds"]) == (pytest.approx(108.5), pytest.approx(390))
    assert row["headers_seconds"] + row["body_seconds"] == pytest.approx(2)
    parts = ("broker", "outage", "redrive", "headers", "body", "ledger", "other", "ending", "residual")
    assert sum(row[f"{part}_seconds"] for part in parts) == pytest.approx(row["total_seconds"])


def test_what_was_waited_for_an_attempt_that_was_not_made_is_charged_like_any_other_wait(url: str) -> None:
    """A storm of 429s: the last permit comes too late for its budget."""
    ended = {"state": "expired", "reason": "budget-spent", "completed_at": at(60)}
    request_id = put_trigger(
        url, NOON, received_at=at(0.5), first_dispatched_at=at(1), attempts_started=1,
        waited_in_vain='{"throttle_wait_seconds": 45, "backoff_wait_seconds": 2, "ledger_wait_seconds": 0.01}', **ended,
    )  # fmt: skip
    put_attempt(url, request_id, 1, at(1), http_status=429, outcome="retryable")
    row = delays(url, request_id)
    assert (row["throttle_seconds"], row["back_off_seconds"]) == (pytest.approx(45), pytest.approx(2))
    assert row["ledger_seconds"] == pytest.approx(0.02)
    assert row["ending_seconds"] == pytest.approx(60 - 2 - 47.01)
    parts = ("broker", "throttle", "back_off", "ledger", "headers", "body", "other", "ending", "residual")
    assert sum(row[f"{part}_seconds"] for part in parts) == pytest.approx(row["total_seconds"])
    assert row["system"] == "adobe-api"
