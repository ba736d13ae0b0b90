"""Rows as the dispatcher offers them to the ledger. Every name, id and time in them is invented."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from ajo_worker.ledger.admission import Admission
from ajo_worker.ledger.attempts import AttemptRow, Ending, Record
from uuid_utils.compat import uuid7

HOUR = timedelta(hours=1)
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    """A moment some seconds after noon, when each trigger's first attempt is announced."""
    return NOON + timedelta(seconds=seconds)


def admission(**changes: Any) -> Admission:
    """A new trigger that announces its first attempt at noon, unless ``changes`` say otherwise."""
    usual: dict[str, Any] = {
        "request_id": uuid7(),
        "campaign": "order-shipped",
        "lane": "standard",
        "batch_id": uuid4(),
        "producer": "shop",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "recipients": 2,
        "recipient_hashes": '{"\\\\x00ff","\\\\x0102"}',
        "state": "sending",
        "reason": None,
        "occurred_at": after(-3),
        "outbox_at": None,
        "enqueued_at": after(-2),
        "received_at": after(-1),
        "intended_at": NOON,
        "completed_at": None,
        "attempts_started": 1,
        "expires_at": None,
        "owner": uuid7(),
        "resume_at": None,
        "key_id": None,
        "payload": None,
    }
    return Admission(**{**usual, **changes})


def refused(**changes: Any) -> Admission:
    """A new trigger that ends with its first row."""
    usual: dict[str, Any] = {
        "state": "rejected",
        "reason": "definition-unknown",
        "intended_at": None,
        "completed_at": NOON,
        "attempts_started": 0,
        "payload": b'{"id": 1}',
    }
    return admission(**{**usual, **changes})


def attempt(trigger: Admission, number: int = 1, **changes: Any) -> AttemptRow:
    """An attempt that was accepted after 0.2 s."""
    usual: dict[str, Any] = {
        "request_id": trigger.request_id,
        "round": 1,
        "attempt": number,
        "worker": trigger.owner,
        "intended_at": after(number - 1),
        "dispatched_at": after(number - 0.99),
        "responded_at": after(number - 0.79),
        "intake_wait_seconds": 0.0,
        "backoff_wait_seconds": 0.5,
        "slot_wait_seconds": 0.25,
        "congestion_wait_seconds": 0.5,
        "rate_limit_wait_seconds": 0.125,
        "throttle_wait_seconds": 1.0,
        "ramp_wait_seconds": 2.0,
        "silence_wait_seconds": 4.0,
        "token_wait_seconds": 0.0625,
        "ledger_wait_seconds": 0.01,
        "to_headers_seconds": 0.15,
        "to_body_seconds": 0.2,
        "lag_seconds": 0.03,
        "retry_after_seconds": None,
        "http_status": 202,
        "error_code": None,
        "error_title": None,
        "outcome": "accepted",
        "ambiguous": False,
        "failure": None,
        "adobe_request_id": "gateway-1",
        "answered_request_id": None,
        "execution_id": "UMA-1",
    }
    return AttemptRow(**{**usual, **changes})


BUSY = {
    "outcome": "retryable",
    "http_status": 503,
    "error_code": "CJMRT-110100-503",
    "retry_after_seconds": 2.0,
    "execution_id": None,
}
"""What an attempt shows that a retry follows."""


def ending(trigger: Admission, **changes: Any) -> Ending:
    """The trigger was accepted, a second after noon, at its first attempt."""
    usual: dict[str, Any] = {
        "request_id": trigger.request_id,
        "fence": 1,
        "campaign": trigger.campaign,
        "state": "accepted",
        "reason": None,
        "first_dispatched_at": after(0.01),
        "completed_at": after(1),
        "attempts_started": 1,
        "execution_id": "UMA-1",
        "resume_at": None,
        "key_id": None,
        "payload": None,
    }
    return Ending(**{**usual, **changes})


def dead(trigger: Admission, state: str = "expired", **changes: Any) -> Ending:
    """The trigger became a dead letter, a second after noon."""
    usual: dict[str, Any] = {
        "state": state,
        "reason": "budget-spent",
        "execution_id": None,
        "payload": b'{"id": 1}',
    }
    return ending(trigger, **{**usual, **changes})


def accepted(trigger: Admission) -> Record:
    """The first attempt, and the end that it brought."""
    return Record(attempt(trigger), ending(trigger))
