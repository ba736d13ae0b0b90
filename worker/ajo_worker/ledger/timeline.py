"""The whole way of one trigger, from the business event to its end: ``ajo-dispatch status REQUEST_ID``."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Struct

from ajo_worker.ledger.delays import PHASES

TRIGGER = """
    SELECT t.*, w.hostname || ':' || w.pid AS owner_place,
           CASE WHEN w.worker_id IS NULL THEN 'unknown' WHEN w.stopped_at IS NOT NULL THEN 'stopped'
                WHEN w.heartbeat_at > now() - $2::interval THEN 'alive' ELSE 'dead' END AS owner_status,
           EXISTS (SELECT FROM ledger.held_payloads h WHERE h.request_id = t.request_id) AS payload_held
    FROM ledger.triggers t LEFT JOIN ledger.workers w ON w.worker_id = t.owner
    WHERE t.request_id = $1
"""
ATTEMPTS = """
    SELECT a.*, w.hostname || ':' || w.pid AS worker_place
    FROM ledger.attempts a LEFT JOIN ledger.workers w ON w.worker_id = a.worker
    WHERE a.request_id = $1 ORDER BY a.round, a.attempt
"""
DELAYS = "SELECT * FROM audit.delays WHERE request_id = $1"
PHASE_COLUMNS = (*(f"{phase}_seconds" for phase in PHASES), "total_seconds", "clock_skew")
SHOWN_WAIT = 0.0005
"""Seconds from which on a wait before an attempt is told: less reads as 0."""

Row = dict[str, Any]


class Event(Struct, frozen=True):
    """Something that happened, ``elapsed_seconds`` after the business event, or after publishing if that is unknown.

    Negative where a worker's clock shows an earlier time than the producer's did before.
    """

    at: datetime
    elapsed_seconds: float
    what: str
    detail: str


class Timeline(Struct, frozen=True):
    """One trigger with all that the ledger knows of it; ``phases`` are those of the current round."""

    trigger: Row
    attempts: list[Row]
    phases: Row
    events: list[Event]


async def timeline(connection: asyncpg.Connection, request_id: UUID, owner_timeout: timedelta) -> Timeline | None:
    """The timeline of a trigger; None if the ledger doesn't have it."""
    found = await connection.fetchrow(TRIGGER, request_id, owner_timeout)
    if found is None:
        return None
    trigger = dict(found)
    hashes = trigger["recipient_hashes"]
    trigger["recipient_hashes"] = None if hashes is None else [digest.hex() for digest in hashes]
    attempts = [dict(row) for row in await connection.fetch(ATTEMPTS, request_id)]
    phases = await connection.fetchrow(DELAYS, request_id)
    return Timeline(
        trigger=trigger,
        attempts=attempts,
        phases={name: phases[name] for name in PHASE_COLUMNS},
        events=events(trigger, attempts),
    )


def events(trigger: Row, attempts: list[Row]) -> list[Event]:
    """What happened to a trigger, in the order of time. Pure."""
    found = sorted(_events(trigger, attempts), key=lambda event: event[0])
    began = trigger["occurred_at"] or trigger["enqueued_at"]
    return [Event(at, (at - began).total_seconds(), what, detail) for at, what, detail in found]


def _events(trigger: Row, attempts: list[Row]) -> Iterator[tuple[datetime, str, str]]:
    if trigger["occurred_at"]:
        yield trigger["occurred_at"], "occurred", "by the event's source's clock"
    yield trigger["enqueued_at"], "enqueued", f"by {trigger['producer']}, its clock"
    yield trigger["received_at"], "received", f"by a worker, {trigger['lane']} lane"
    if trigger["round_opened_at"]:
        yield trigger["round_opened_at"], "round opened", f"round {trigger['round']}"
    for attempt in attempts:
        yield from _attempt_events(attempt)
    if trigger["state"] == "sending" and is_in_flight(trigger, attempts):
        detail = f"no answer yet; {trigger['owner_place'] or trigger['owner']} is {trigger['owner_status']}"
        yield trigger["last_intent_at"], _name("announced", trigger["round"], trigger["attempts_started"]), detail
    if trigger["completed_at"]:
        detail = trigger["reason"] or trigger["execution_id"] or ""
        yield trigger["completed_at"], trigger["state"], detail


def is_in_flight(trigger: Row, attempts: list[Row]) -> bool:
    """Whether the newest attempt that was announced has no row yet. Pure."""
    newest = (trigger["round"], trigger["attempts_started"])
    return trigger["attempts_started"] > 0 and all((row["round"], row["attempt"]) != newest for row in attempts)


def _attempt_events(attempt: Row) -> Iterator[tuple[datetime, str, str]]:
    number = attempt["round"], attempt["attempt"]
    waits = ("backoff", "slot", "rate_limit", "token", "ledger")
    waited = [
        f"{name.replace('_', ' ')} {attempt[f'{name}_wait_seconds']:.3f} s"
        for name in waits
        if (attempt[f"{name}_wait_seconds"] or 0) >= SHOWN_WAIT
    ]
    yield attempt["intended_at"], _name("announced", *number), ""
    if attempt["outcome"] == "interrupted":
        place = attempt["worker_place"] or attempt["worker"]
        yield attempt["dispatched_at"], _name("interrupted", *number), f"{place} died; it may have been sent"
        return
    yield attempt["dispatched_at"], _name("dispatched", *number), f"after {', '.join(waited)}" if waited else ""
    if attempt["responded_at"]:
        yield attempt["responded_at"], _name(attempt["outcome"], *number), _answer(attempt)


def _answer(attempt: Row) -> str:
    said = [
        f"{attempt['http_status']}" if attempt["http_status"] else attempt["failure"] or "no answer",
        attempt["error_code"],
        attempt["error_title"],
        f"Retry-After {attempt['retry_after_seconds']:g} s" if attempt["retry_after_seconds"] is not None else None,
        "perhaps accepted" if attempt["ambiguous"] else None,
        f"x-request-id {attempt['adobe_request_id']}" if attempt["adobe_request_id"] else None,
    ]
    return ", ".join(part for part in said if part)


def _name(what: str, round_number: int, attempt: int) -> str:
    return f"attempt {attempt} {what}" if round_number == 1 else f"attempt {round_number}.{attempt} {what}"
