"""One trigger whole, as the views of the schema ``audit`` have it: what is shown of one is made of this, everywhere."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Struct

Row = dict[str, Any]

TRIGGERS = """
    SELECT t.*, w.hostname || ':' || w.pid AS owner_place, coalesce(w.status, 'unknown') AS owner_status
    FROM audit.triggers t LEFT JOIN audit.workers w ON w.worker_id = t.owner
    WHERE t.request_id = ANY($1::uuid[])
"""
HELD = "SELECT request_id, held_at, resume_at, key_id FROM audit.held WHERE request_id = ANY($1::uuid[])"
ATTEMPTS = """
    SELECT a.*, w.hostname || ':' || w.pid AS worker_place
    FROM audit.attempts a LEFT JOIN audit.workers w ON w.worker_id = a.worker
    WHERE a.request_id = ANY($1::uuid[]) ORDER BY a.round, a.attempt
"""
EVENTS = """
    SELECT request_id, at, elapsed_seconds, round, attempt, event, detail, by_clock FROM audit.timeline
    WHERE request_id = ANY($1::uuid[]) ORDER BY at, round, attempt, array_position('{announced,dispatched}', event)
"""
DELAYS = """
    SELECT d.*, b.budget_seconds, b.used_seconds FROM audit.delays d LEFT JOIN audit.budget_use b USING (request_id)
    WHERE d.request_id = ANY($1::uuid[])
"""


class Event(Struct, frozen=True):
    """Something that happened, ``elapsed_seconds`` after the business event, or after publishing if that is unknown.

    Negative where a worker's clock shows an earlier time than the producer's did before. ``by_clock`` of that machine.
    """

    at: datetime
    elapsed_seconds: float
    round: int | None
    attempt: int | None
    event: str
    detail: str
    by_clock: str


class WholeTrigger(Struct, frozen=True):
    """All that the views have of a trigger.

    ``facts`` is its row of audit.triggers with its owner's place and status, ``held`` when its payload was held, from
    when on it may go on and by which key; None without a payload. ``attempts`` have their worker's place. ``delay`` is
    its row of audit.delays, with its budget (``budget_seconds``) and what was used of that (``used_seconds``).
    """

    facts: Row
    held: Row | None
    attempts: list[Row]
    events: list[Event]
    delay: Row


async def read_triggers(connection: asyncpg.Connection, request_ids: Collection[UUID]) -> dict[UUID, WholeTrigger]:
    """Those of these triggers that the ledger has."""
    ids = list(request_ids)
    found = _by_trigger(await connection.fetch(TRIGGERS, ids))
    if not found:
        return {}
    held = _by_trigger(await connection.fetch(HELD, ids))
    attempts = _by_trigger(await connection.fetch(ATTEMPTS, ids))
    events = _by_trigger(await connection.fetch(EVENTS, ids))
    delays = _by_trigger(await connection.fetch(DELAYS, ids))
    return {
        key: WholeTrigger(
            facts=facts,
            held=held[key][0] if key in held else None,
            attempts=attempts.get(key, []),
            events=[Event(**{name: row[name] for name in Event.__struct_fields__}) for row in events[key]],
            delay=delays[key][0],
        )
        for key, [facts] in found.items()
    }


async def read_trigger(connection: asyncpg.Connection, request_id: UUID) -> WholeTrigger | None:
    """A trigger, in whatever state; None if the ledger doesn't have it."""
    return (await read_triggers(connection, [request_id])).get(request_id)


def _by_trigger(rows: Iterable[asyncpg.Record]) -> dict[UUID, list[Row]]:
    found: dict[UUID, list[Row]] = {}
    for row in rows:
        found.setdefault(row["request_id"], []).append(dict(row))
    return found
