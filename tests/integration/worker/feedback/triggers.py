"""Triggers that feedback is about, and feedback as it is offered to the ledger."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from ajo_worker.feedback.reading import read_row, read_webhook
from ajo_worker.feedback.storing import FeedbackRow, row_of
from ajo_worker.recipients import recipient_hash

from tests.support.database import query
from tests.support.feedback_items import ADDRESS, CAMPAIGN_ID, KEY, dataset_row, webhook_item
from tests.support.ledger_rows import after, ago, put_attempt, put_trigger

CAMPAIGN = """
    insert into ledger.campaigns
        (name, digest, campaign_id, lane, first_loaded_at, last_loaded_at, loaded_by, definition)
    values ($1, 'd', $2, 'standard', now(), now(), gen_random_uuid(), '{}')
"""
HOLD = """
    insert into ledger.held_payloads (request_id, held_at, round, campaign, reason, payload)
    values ($1, clock_timestamp(), 1, 'order-shipped', 'budget-spent', '{}')
"""


def put_campaign(url: str, name: str = "order-shipped", campaign_id: str = CAMPAIGN_ID) -> None:
    """A definition that a worker ran with."""
    query(url, CAMPAIGN, name, campaign_id)


def put_sent(
    url: str,
    sent_at: datetime,
    *,
    execution: str | None = None,
    people: Sequence[str] = (ADDRESS,),
    attempt: dict[str, Any] | None = None,
    **columns: Any,
) -> UUID:
    """A trigger that was accepted half a second after its call, unless ``columns`` and ``attempt`` say otherwise."""
    end = after(sent_at, 0.5)
    facts = {
        "state": "accepted",
        "completed_at": end,
        "first_dispatched_at": sent_at,
        "last_intent_at": sent_at,
        "attempts_started": 1,
        "execution_id": execution,
        "recipients": len(people),
        "recipient_hashes": [recipient_hash(each, KEY) for each in people],
    } | columns
    request_id = put_trigger(url, after(sent_at, -1), **facts)
    answer = {"responded_at": end, "execution_id": execution} | (attempt or {})
    put_attempt(url, request_id, 1, sent_at, **answer)
    return request_id


def put_unconfirmed(url: str, sent_at: datetime, **columns: Any) -> UUID:
    """A trigger whose only call timed out, and whose payload is held."""
    facts = {"state": "unconfirmed", "reason": "budget-spent"} | columns
    timed_out = {"outcome": "retryable", "ambiguous": True, "http_status": None, "failure": "answer-timeout"}
    request_id = put_sent(url, sent_at, attempt=timed_out, **facts)
    query(url, HOLD, request_id)
    return request_id


def told(status: str, at: datetime | None = None, *, arrived: datetime | None = None, **changes: Any) -> FeedbackRow:
    """A row that came by the webhook."""
    item = webhook_item(status, at=at and at.isoformat(), **changes)
    return row_of(read_webhook(item, KEY), "webhook", arrived or ago())


def imported(status: str, at: datetime, **changes: Any) -> FeedbackRow:
    """A row that came from an export."""
    return row_of(read_row(dataset_row(status, at.isoformat(), **changes), KEY), "import", ago())


def feedback(url: str, columns: str = "status, match, request_id") -> list[dict[str, Any]]:
    """All feedback in the ledger, by the time that it tells of."""
    return query(url, f"select {columns} from ledger.feedback order by happened_at, status")


def delivery(url: str, request_id: UUID) -> dict[str, Any]:
    """The deliveries of a trigger, less the moment at which they were made; empty if there are none."""
    rows = query(url, "select * from ledger.deliveries where request_id = $1", request_id)
    return {name: value for name, value in rows[0].items() if name != "updated_at"} if rows else {}


def trigger_row(url: str, request_id: UUID) -> dict[str, Any]:
    """The trigger's row, and whether its payload is held."""
    sql = """
        select t.*, exists (select from ledger.held_payloads h where h.request_id = t.request_id) as held
        from ledger.triggers t where request_id = $1
    """
    return query(url, sql, request_id)[0]


def some_execution() -> str:
    """An execution id that no other test has."""
    return f"UMA-{uuid4()}"


MINUTE = timedelta(minutes=1)
