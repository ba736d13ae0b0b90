"""What alerts are made of, written by SQL: known campaigns, many triggers at once, circuits, what can't be read."""

from datetime import datetime
from typing import Any

from uuid_utils.compat import uuid7

from tests.support.database import query
from tests.support.ledger_rows import ago

CAMPAIGN = "order-shipped"
DESTINATION = "destination:standard@platform.adobe.io"

KNOWN = """
    insert into ledger.campaigns
        (name, digest, campaign_id, lane, first_loaded_at, last_loaded_at, loaded_by, definition)
    values ($1, 'd', 'c', 'standard', now(), now(), gen_random_uuid(), '{}')
"""
MANY = """
    insert into ledger.triggers (request_id, batch_id, enqueued_at, received_at, first_dispatched_at, completed_at,
                                 recipients, campaign, lane, state, reason, producer, outbox_at)
    select id, gen_random_uuid(), r.at - make_interval(secs => $3), r.at, r.at, r.at + make_interval(secs => $4), 1,
           'order-shipped', 'standard', $5, $6, $8, r.at - make_interval(secs => $3 + $7)
    from unnest($1::uuid[]) as n(id), (values ($2::timestamptz)) as r(at)
"""
HELD = """
    insert into ledger.held_payloads (request_id, held_at, round, campaign, reason, payload)
    select id, $2, 1, 'order-shipped', $3, '{}' from unnest($1::uuid[]) as n(id)
"""
PARKED = """
    insert into ledger.held_payloads (request_id, held_at, resume_at, round, campaign, reason, payload)
    values (gen_random_uuid(), $1, $2, 1, 'order-shipped', 'outage', '{}')
"""
OUTAGE = """
    with o as (
        insert into ledger.outages (opened_at, scope, reason, opened_by, evidence, held_until)
        values ($2, $1, $3, 'olga', $5, $6)
        returning outage_id, scope, opened_at
    )
    insert into ledger.circuits (scope, state, outage_id, changed_at) select scope, $4, outage_id, opened_at from o
    returning outage_id
"""
UNREAD = """
    insert into ledger.quarantine (received_at, worker, body_bytes, queue, reason, body)
    values ($1, gen_random_uuid(), 1, 'ajo-dispatch.standard', 'JSON is malformed', 'x')
"""


def put_known(url: str, campaign: str = CAMPAIGN) -> None:
    """A campaign that a worker ran with."""
    query(url, KNOWN, campaign)


def put_many(
    url: str,
    count: int,
    *,
    received_at: datetime | None = None,
    queued: float = 0.5,
    in_outbox: float | None = None,
    producer: str = "shop",
    took: float | None = 2.0,
    state: str = "accepted",
    reason: str | None = None,
) -> None:
    """Triggers that waited ``queued`` seconds and ended ``took`` after their dispatch; dead letters have payloads held.

    None for what is not at its end, and for what was in no outbox.
    """
    ids, received_at = [uuid7() for _ in range(count)], received_at or ago(minutes=1)
    query(url, MANY, ids, received_at, queued, took, state, reason, in_outbox, producer)
    if state in ("rejected", "expired", "unconfirmed"):
        query(url, HELD, ids, received_at, reason or state)


def put_parked(url: str, held_at: datetime, resume_at: datetime) -> None:
    """A trigger that was parked then, and may go on from ``resume_at``."""
    query(url, PARKED, held_at, resume_at)


def put_outage(url: str, scope: str, reason: str, opened_at: datetime, state: str = "open") -> int:
    """A circuit with its outage; the outage's number."""
    return int(query(url, OUTAGE, scope, opened_at, reason, state, "{}", None)[0]["outage_id"])


def put_hold(url: str, scope: str, began_at: datetime, until: datetime | None = None) -> int:
    """What an operator holds, until then or without an end; the outage's number."""
    return int(query(url, OUTAGE, scope, began_at, "held", "held", '{"why": "repair"}', until)[0]["outage_id"])


def put_unread(url: str, received_at: datetime) -> None:
    """Something that couldn't be read."""
    query(url, UNREAD, received_at)


def alerts(url: str) -> dict[tuple[str, str | None], dict[str, Any]]:
    """The alerts that hold, by name and scope."""
    return {(row["alert"], row["scope"]): row for row in query(url, "select * from audit.alerts")}
