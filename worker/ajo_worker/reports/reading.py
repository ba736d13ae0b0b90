"""Reads a report from the audit views."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from importlib.metadata import version

import asyncpg
from msgspec import Struct, structs

from ajo_worker.reports import questions
from ajo_worker.reports.lateness import Minute, late_spans
from ajo_worker.reports.phases import phase_rows, spread
from ajo_worker.reports.value import (
    CampaignRow,
    Counts,
    DuplicateRow,
    Moment,
    OutageRow,
    Report,
    SystemMoment,
    SystemRow,
)
from ajo_worker.reports.worst import read_worst
from ajo_worker.views.phases import read_phases, read_sums

STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 240, 360, 720, 1440)
"""Minutes that one point of a plot may stand for."""
POINTS = 150
"""So many points a plot has at most, unless the while is above 150 days."""


class ReportRequest(Struct, frozen=True):
    """What is asked for: triggers received from ``since`` to before ``until``, of one campaign or all.

    ``day`` is the day of the ``time_zone`` that this is, if it is one.
    """

    since: datetime
    until: datetime
    campaign: str | None
    time_zone: str = "UTC"
    day: date | None = None


def step_of(span: timedelta) -> timedelta:
    """How long one point of a plot lasts. Pure."""
    return next((step for step in map(_minutes, STEPS) if span <= step * POINTS), _minutes(STEPS[-1]))


def _minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


async def read_report(connection: asyncpg.Connection, asked: ReportRequest) -> Report:
    """The report; ``connection`` sees one moment, as that of ``ajo_worker.ledger.database.snapshot`` does."""
    step = step_of(asked.until - asked.since)
    given = (asked.since, asked.until, asked.campaign)
    counted = await connection.fetch(questions.COUNTS, *given, step)
    charged = await connection.fetch(questions.SYSTEMS, *given, step)
    percentiles = await connection.fetch(questions.PERCENTILES, *given)
    together = await connection.fetch(questions.TOGETHER, *given)
    end_to_end = await connection.fetch(questions.END_TO_END, *given, step)
    phases, sums = await read_phases(connection), await read_sums(connection)
    whole = next(row for row in counted if {row["minute"], row["at"], row["campaign"]} == {None})
    reported = _reported(whole)
    every = _counts(whole, reported)
    return Report(
        made_at=await connection.fetchval("SELECT now()"),
        version=version("ajo-dispatch"),
        since=asked.since,
        until=asked.until,
        computed_until=await connection.fetchval(questions.COMPUTED_UNTIL, *given[:2]),
        failed_minutes=await connection.fetchval(questions.FAILED_MINUTES, *given[:2]),
        step_seconds=int(step.total_seconds()),
        campaign=asked.campaign,
        counts=every,
        late_spans=late_spans(
            Minute(row["minute"], row["triggers"], row["late"]) for row in counted if row["minute"] is not None
        ),
        campaigns=_campaigns(counted, percentiles, reported),
        times=_times(counted, end_to_end, reported),
        systems=[SystemRow(row["system"], row["triggers"], row["seconds"]) for row in charged if row["at"] is None],
        system_times=[SystemMoment(**row) for row in charged if row["at"] is not None],
        phases=phase_rows(phases, sums, together, every.triggers),
        outages=[OutageRow(**row) for row in await connection.fetch(questions.OUTAGES, *given)],
        worst=await read_worst(connection, *given, phases),
        duplicates=[DuplicateRow(**row) for row in await connection.fetch(questions.DUPLICATES, *given)],
        time_zone=asked.time_zone,
        day=asked.day,
    )


def _counts(row: asyncpg.Record, reported: bool) -> Counts:
    counts = Counts(**{name: row[name] or 0 for name in Counts.__struct_fields__})
    return counts if reported else structs.replace(counts, departed=None, delivered=None, failed=None)


def _reported(row: asyncpg.Record) -> bool:
    """Whether feedback tells of the while at all; where nothing was accepted, nothing is to be told."""
    return not row["accepted"] or any(row[name] for name in ("departed", "delivered", "failed"))


def _campaigns(
    counted: Iterable[asyncpg.Record], percentiles: Iterable[asyncpg.Record], reported: bool
) -> list[CampaignRow]:
    spreads = {(row["campaign"], row["lane"], row["phase"]): spread(row) for row in percentiles}
    return [
        CampaignRow(
            row["campaign"],
            row["lane"],
            _counts(row, reported),
            spreads.get((row["campaign"], row["lane"], "end-to-end")),
            spreads.get((row["campaign"], row["lane"], "budget")),
        )
        for row in counted
        if row["campaign"] is not None
    ]


def _times(counted: Iterable[asyncpg.Record], end_to_end: Iterable[asyncpg.Record], reported: bool) -> list[Moment]:
    spreads = {row["at"]: spread(row) for row in end_to_end}
    return [
        Moment(row["at"], _counts(row, reported), spreads.get(row["at"]))
        for row in counted
        if row["at"] is not None and row["minute"] is None
    ]
