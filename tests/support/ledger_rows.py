"""Rows of the ledger, written by SQL: what workers leave there, without running one."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from uuid_utils.compat import uuid7

from tests.support.database import query


def ago(**time: float) -> datetime:
    """A moment in the past: ``ago(minutes=5)``."""
    return datetime.now(UTC) - timedelta(**time)


def after(moment: datetime, seconds: float) -> datetime:
    """A moment some seconds later."""
    return moment + timedelta(seconds=seconds)


OWNER_TIMEOUT = 15.0


def put_worker(url: str, **columns: Any) -> UUID:
    """A worker that beats just now, unless ``columns`` say otherwise; returns its id.

    One whose heartbeat is too old is dead at once: a server of the tests may have started a moment ago, which counts as
    a heartbeat.
    """
    died = columns.get("heartbeat_at", ago()) < ago(seconds=OWNER_TIMEOUT)
    row = {
        "owner_timeout_seconds": 0.0 if died else OWNER_TIMEOUT,
        "worker_id": uuid7(),
        "hostname": "node-1",
        "pid": 4711,
        "version": "0.1.0",
        "started_at": ago(minutes=30),
        "heartbeat_at": ago(),
        "clock_skew_seconds": 0.25,
        "budget_seconds": 60.0,
        "lanes": ["standard", "high-throughput"],
    } | columns
    _put(url, "ledger.workers", row)
    return UUID(str(row["worker_id"]))


def put_trigger(url: str, enqueued_at: datetime, **columns: Any) -> UUID:
    """A trigger that was received half a second after it was published, and is sending; returns its id."""
    row = {
        "request_id": uuid7(),
        "batch_id": uuid4(),
        "enqueued_at": enqueued_at,
        "received_at": after(enqueued_at, 0.5),
        "recipients": 1,
        "campaign": "order-shipped",
        "lane": "standard",
        "state": "sending",
        "producer": "shop",
    } | columns
    _put(url, "ledger.triggers", row)
    return UUID(str(row["request_id"]))


def put_attempt(url: str, request_id: UUID, attempt: int, dispatched_at: datetime, **columns: Any) -> None:
    """An attempt that was accepted after a second, after a commit of 10 ms, unless ``columns`` say otherwise."""
    row = {
        "request_id": request_id,
        "round": 1,
        "attempt": attempt,
        "worker": uuid4(),
        "intended_at": after(dispatched_at, -0.01),
        "dispatched_at": dispatched_at,
        "responded_at": after(dispatched_at, 1),
        "intake_wait_seconds": 0.0,
        "backoff_wait_seconds": 0.0,
        "slot_wait_seconds": 0.0,
        "congestion_wait_seconds": 0.0,
        "rate_limit_wait_seconds": 0.0,
        "throttle_wait_seconds": 0.0,
        "ramp_wait_seconds": 0.0,
        "silence_wait_seconds": 0.0,
        "token_wait_seconds": 0.0,
        "ledger_wait_seconds": 0.01,
        "to_headers_seconds": 0.9,
        "to_body_seconds": 1.0,
        "http_status": 202,
        "outcome": "accepted",
        "ambiguous": False,
    } | columns
    _put(url, "ledger.attempts", row)


def put_feedback(url: str, request_id: UUID, status: str, happened_at: datetime, **columns: Any) -> None:
    """A feedback about a trigger, matched by its execution."""
    row = {
        "feedback_id": uuid7(),
        "request_id": request_id,
        "received_at": happened_at,
        "happened_at": happened_at,
        "happened_at_is_arrival": False,
        "match": "execution-id",
        "source": "webhook",
        "status": status,
    } | columns
    _put(url, "ledger.feedback", row)


def put_delivery(url: str, request_id: UUID, **columns: Any) -> None:
    """What feedback said became of a trigger's only message."""
    row = {
        "request_id": request_id,
        "updated_at": ago(),
        "departures": 1 if columns.get("departed_at") else 0,
        "deliveries": 1 if columns.get("delivered_at") else 0,
        "failures": 1 if columns.get("failed_at") else 0,
        "delays": 0,
        "arrival_stamped": False,
        "match": "execution-id",
        "last_status": "delivered",
    } | columns
    _put(url, "ledger.deliveries", row)


NOTHING_KNOWN = dict.fromkeys(
    (
        "responded_at",
        "intake_wait_seconds",
        "backoff_wait_seconds",
        "slot_wait_seconds",
        "congestion_wait_seconds",
        "rate_limit_wait_seconds",
        "throttle_wait_seconds",
        "ramp_wait_seconds",
        "silence_wait_seconds",
        "token_wait_seconds",
        "ledger_wait_seconds",
        "to_headers_seconds",
        "to_body_seconds",
        "http_status",
    )
)
"""The columns of an attempt that was cut off by its worker's death."""


def accepted_after_retries(url: str, **columns: Any) -> UUID:
    """Event, 1 s to publish, 0.5 s broker, 0.5 s worker, 503, time-out, accepted; 20 ms to the end."""
    occurred = ago(minutes=5)
    enqueued, first = after(occurred, 1), after(occurred, 2)
    worker = put_worker(url)
    request_id = put_trigger(
        url,
        enqueued,
        occurred_at=occurred,
        state="accepted",
        owner=worker,
        first_dispatched_at=first,
        last_intent_at=after(first, 6.5),
        completed_at=after(first, 7.52),
        attempts_started=3,
        possible_duplicate=True,
        duplicate_causes=["ambiguous-answer"],
        execution_id="UMA-1234",
        recipient_hashes=[bytes.fromhex("ab" * 32)],
        **columns,
    )
    put_attempt(
        url,
        request_id,
        1,
        first,
        worker=worker,
        token_wait_seconds=0.2,
        slot_wait_seconds=0.1,
        http_status=503,
        outcome="retryable",
        error_code="CJMRT-110100-500",
        error_title="Busy [for a while]\x1b[2J",
        retry_after_seconds=2,
    )
    put_attempt(
        url,
        request_id,
        2,
        after(first, 3),
        worker=worker,
        backoff_wait_seconds=1.98,
        responded_at=after(first, 6),
        to_headers_seconds=None,
        to_body_seconds=3.0,
        http_status=None,
        outcome="retryable",
        failure="answer-timeout",
        ambiguous=True,
    )
    put_attempt(url, request_id, 3, after(first, 6.5), worker=worker, backoff_wait_seconds=0.49)
    return request_id


def _put(url: str, table: str, row: dict[str, Any]) -> None:
    columns, places = ", ".join(row), ", ".join(f"${number}" for number in range(1, len(row) + 1))
    query(url, f"insert into {table} ({columns}) values ({places})", *row.values())
