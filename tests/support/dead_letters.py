"""Dead letters, written by SQL as workers leave them: a trigger, its last attempt, its held payload."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from tests.support.database import query
from tests.support.ledger_rows import after, ago, put_attempt, put_trigger

ADDRESS = "ada@example.com"

HOLD = """
    insert into ledger.held_payloads (request_id, held_at, round, campaign, reason, key_id, payload)
    values ($1, clock_timestamp(), $2, $3, $4, $5, $6)
"""
MANY = """
    with made as (
        insert into ledger.triggers (request_id, batch_id, enqueued_at, received_at, completed_at, recipients, campaign,
                                     lane, state, reason, producer)
        select id, gen_random_uuid(), now(), now(), now(), 1, 'order-shipped', 'standard', 'rejected', 'bad-request',
               'shop'
        from unnest($1::uuid[]) as n(id) returning request_id, campaign, reason
    )
    insert into ledger.held_payloads (request_id, held_at, round, campaign, reason, payload)
    select request_id, clock_timestamp(), 1, campaign, reason, '{}' from made
"""


def payload_of(request_id: UUID, campaign: str = "order-shipped") -> bytes:
    """What was to be sent, as batches carry it."""
    recipient = {"user_id": ADDRESS, "channel_data": {"emailAddress": ADDRESS}, "context": {"orderId": "A-1"}}
    return msgspec.json.encode({"request_id": str(request_id), "campaign": campaign, "recipients": [recipient]})


def put_letter(
    url: str,
    *,
    ended_at: datetime | None = None,
    status: int | None = 400,
    key_id: str | None = None,
    payload: bytes | None = None,
    **columns: Any,
) -> UUID:
    """One that was rejected just now, after one attempt with this status (None for none); returns its id."""
    ended_at = ended_at or ago()
    facts: dict[str, Any] = {"state": "rejected", "reason": "bad-request", "completed_at": ended_at} | columns
    request_id = put_trigger(url, after(ended_at, -2), **facts)
    if status is not None:
        ambiguous = facts["state"] == "unconfirmed"
        answer = {"http_status": status, "outcome": "refused", "ambiguous": ambiguous, "error_title": "Bad [request]"}
        put_attempt(url, request_id, 1, after(ended_at, -1), **answer)
    campaign = facts.get("campaign", "order-shipped")
    held = payload_of(request_id, campaign) if payload is None else payload
    query(url, HOLD, request_id, 1, campaign, facts["reason"], key_id, held)
    return request_id


def put_letters(url: str, request_ids: Sequence[UUID]) -> None:
    """Many that were rejected just now."""
    query(url, MANY, list(request_ids))
