"""The whole way of one trigger, from the business event to its end: ``ajo-dispatch status REQUEST_ID``."""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Struct

from ajo_worker.views.phases import Phase, column, read_phases

TRIGGER = """
    SELECT t.*, w.hostname || ':' || w.pid AS owner_place, coalesce(w.status, 'unknown') AS owner_status,
           EXISTS (SELECT FROM audit.held h WHERE h.request_id = t.request_id) AS payload_held
    FROM audit.triggers t LEFT JOIN audit.workers w ON w.worker_id = t.owner
    WHERE t.request_id = $1
"""
ATTEMPTS = """
    SELECT a.*, w.hostname || ':' || w.pid AS worker_place
    FROM audit.attempts a LEFT JOIN audit.workers w ON w.worker_id = a.worker
    WHERE a.request_id = $1 ORDER BY a.round, a.attempt
"""
EVENTS = """
    SELECT at, elapsed_seconds, round, attempt, event, detail FROM audit.timeline
    WHERE request_id = $1 ORDER BY at, round, attempt, array_position('{announced,dispatched}', event)
"""
DELAYS = "SELECT * FROM audit.delays WHERE request_id = $1"
DELAY_COLUMNS = (
    "total_seconds",
    "end_to_end_seconds",
    "system",
    "phase",
    "delay_seconds",
    "systems",
    "system_seconds",
    "clock_skew",
)

Row = dict[str, Any]


class Event(Struct, frozen=True):
    """Something that happened, ``elapsed_seconds`` after the business event, or after publishing if that is unknown.

    Negative where a worker's clock shows an earlier time than the producer's did before.
    """

    at: datetime
    elapsed_seconds: float
    what: str
    detail: str


class PhaseSeconds(Struct, frozen=True):
    """How long a phase took; None while that is not known."""

    phase: str
    system: str | None
    after_end: bool
    seconds: float | None


class Timeline(Struct, frozen=True):
    """One trigger with all that the ledger knows of it; ``delay`` is whose fault it is that it took so long."""

    trigger: Row
    attempts: list[Row]
    delay: Row
    phases: list[PhaseSeconds]
    events: list[Event]


async def timeline(connection: asyncpg.Connection, request_id: UUID) -> Timeline | None:
    """The timeline of a trigger; None if the ledger doesn't have it."""
    found = await connection.fetchrow(TRIGGER, request_id)
    if found is None:
        return None
    trigger = dict(found)
    attempts = [dict(row) for row in await connection.fetch(ATTEMPTS, request_id)]
    phases = await read_phases(connection)
    [delay] = await connection.fetch(DELAYS, request_id)
    events = await connection.fetch(EVENTS, request_id)
    return Timeline(
        trigger=trigger,
        attempts=attempts,
        delay={name: delay[name] for name in DELAY_COLUMNS},
        phases=[_spent(each, delay) for each in phases],
        events=[Event(row["at"], row["elapsed_seconds"], _what(row), row["detail"]) for row in events],
    )


def is_in_flight(trigger: Row, attempts: list[Row]) -> bool:
    """Whether the newest attempt that was announced has no row yet. Pure."""
    newest = (trigger["round"], trigger["attempts"])
    return trigger["attempts"] > 0 and all((row["round"], row["attempt"]) != newest for row in attempts)


def _spent(phase: Phase, delay: asyncpg.Record) -> PhaseSeconds:
    return PhaseSeconds(phase.phase, phase.system, phase.after_end, delay[column(phase.phase)])


def _what(row: asyncpg.Record) -> str:
    """An event's name, with the attempt's number, and with the round's from the second one on."""
    if row["attempt"] is None:
        return str(row["event"])
    number = row["attempt"] if row["round"] == 1 else f"{row['round']}.{row['attempt']}"
    return f"attempt {number} {row['event']}"
