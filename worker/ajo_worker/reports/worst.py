"""Reads the slowest triggers, with all that happened to them."""

import re
from collections.abc import Sequence
from datetime import datetime

import asyncpg

from ajo_worker.reports import questions
from ajo_worker.reports.value import TimelineRow, WorstRow
from ajo_worker.views.phases import Phase, column
from ajo_worker.views.trigger import Event, WholeTrigger, read_triggers

SLOWEST = 10
OPERATED = re.compile(r"by .*: ", re.DOTALL)
ADDRESS = re.compile(r"\S+@\S+")


async def read_worst(
    connection: asyncpg.Connection, since: datetime, until: datetime, campaign: str | None, phases: Sequence[Phase]
) -> list[WorstRow]:
    """The slowest triggers of the while, the slowest first."""
    slowest = await connection.fetch(questions.SLOWEST, since, until, campaign, SLOWEST)
    triggers = await read_triggers(connection, [row["request_id"] for row in slowest])
    found = [
        _row(triggers[row["request_id"]], row["seconds"], phases) for row in slowest if row["request_id"] in triggers
    ]
    return sorted(found, key=lambda one: (-one.seconds, one.request_id))


def _row(found: WholeTrigger, seconds: float, phases: Sequence[Phase]) -> WorstRow:
    delay = found.delay
    return WorstRow(
        request_id=delay["request_id"],
        campaign=delay["campaign"],
        lane=delay["lane"],
        producer=delay["producer"],
        state=delay["state"],
        reason=delay["reason"],
        attempts=delay["attempts"],
        received_at=delay["received_at"],
        seconds=seconds,
        system=delay["system"],
        phase=delay["phase"],
        delay_seconds=delay["delay_seconds"],
        budget_seconds=delay["budget_seconds"],
        budget_used_seconds=delay["used_seconds"],
        phases={each.phase: delay[column(each.phase)] for each in phases},
        timeline=[
            TimelineRow(one.at, one.elapsed_seconds, one.event, impersonal(one), one.by_clock) for one in found.events
        ],
    )


def impersonal(one: Event) -> str:
    """An event's detail without whoever operated it, and without addresses: a report goes from hand to hand. Pure."""
    return "by an operator" if OPERATED.match(one.detail) else ADDRESS.sub("(an address)", one.detail)
