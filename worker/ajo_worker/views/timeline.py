"""What ``ajo-dispatch status REQUEST_ID`` shows of one trigger: its whole way, from the business event to its end."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
from msgspec import Struct

from ajo_worker.views.phases import Phase, column, read_phases
from ajo_worker.views.trigger import Event, Row, WholeTrigger, read_trigger

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


class TimelineEvent(Struct, frozen=True):
    """``what`` happened, ``elapsed_seconds`` after the trigger's begin; see ``views.trigger.Event``."""

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
    events: list[TimelineEvent]


async def timeline(connection: asyncpg.Connection, request_id: UUID) -> Timeline | None:
    """The timeline of a trigger; None if the ledger doesn't have it."""
    found = await read_trigger(connection, request_id)
    return None if found is None else timeline_of(found, await read_phases(connection))


def timeline_of(found: WholeTrigger, phases: Sequence[Phase]) -> Timeline:
    """The timeline of a trigger that was read. Pure."""
    return Timeline(
        trigger=found.facts | {"payload_held": found.held is not None},
        attempts=found.attempts,
        delay={name: found.delay[name] for name in DELAY_COLUMNS},
        phases=[
            PhaseSeconds(each.phase, each.system, each.after_end, found.delay[column(each.phase)]) for each in phases
        ],
        events=[TimelineEvent(one.at, one.elapsed_seconds, _what(one), one.detail) for one in found.events],
    )


def is_in_flight(trigger: Row, attempts: list[Row]) -> bool:
    """Whether the newest attempt that was announced has no row yet. Pure."""
    newest = (trigger["round"], trigger["attempts"])
    return trigger["attempts"] > 0 and all((row["round"], row["attempt"]) != newest for row in attempts)


def _what(one: Event) -> str:
    """An event's name, with the attempt's number, and with the round's from the second one on."""
    if one.attempt is None:
        return one.event
    number = one.attempt if one.round == 1 else f"{one.round}.{one.attempt}"
    return f"attempt {number} {one.event}"
