"""Reads the slowest triggers, with all that happened to them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from ajo_worker.reports import questions
from ajo_worker.reports.value import Event, WorstRow
from ajo_worker.views.phases import Phase, column

SLOWEST = 10


async def read_worst(
    connection: asyncpg.Connection, since: datetime, until: datetime, campaign: str | None, phases: Sequence[Phase]
) -> list[WorstRow]:
    """The slowest triggers of the while, the slowest first."""
    slowest = await connection.fetch(questions.SLOWEST, since, until, campaign, SLOWEST)
    seconds: dict[UUID, float] = {row["request_id"]: row["seconds"] for row in slowest}
    timelines: dict[UUID, list[Event]] = defaultdict(list)
    for row in await connection.fetch(questions.TIMELINES, list(seconds)):
        timelines[row["request_id"]].append(Event(*(row[name] for name in Event.__struct_fields__)))
    rows = await connection.fetch(questions.DELAYS, list(seconds))
    found = [_row(row, seconds[row["request_id"]], timelines[row["request_id"]], phases) for row in rows]
    return sorted(found, key=lambda one: (-one.seconds, one.request_id))


def _row(row: asyncpg.Record, seconds: float, timeline: list[Event], phases: Sequence[Phase]) -> WorstRow:
    return WorstRow(
        request_id=row["request_id"],
        campaign=row["campaign"],
        lane=row["lane"],
        producer=row["producer"],
        state=row["state"],
        reason=row["reason"],
        attempts=row["attempts"],
        received_at=row["received_at"],
        seconds=seconds,
        system=row["system"],
        phase=row["phase"],
        delay_seconds=row["delay_seconds"],
        budget_seconds=row["budget"],
        budget_used_seconds=row["budget_used"],
        phases={each.phase: row[column(each.phase)] for each in phases},
        timeline=timeline,
    )
