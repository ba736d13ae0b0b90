"""What goes on at this moment and in the last minutes: one frame of ``ajo-dispatch top``."""

from datetime import datetime, timedelta

import asyncpg
from msgspec import Struct

from ajo_worker.reports import questions
from ajo_worker.reports.phases import phase_rows
from ajo_worker.reports.value import OutageRow, PhaseRow, SystemRow
from ajo_worker.views.alerts import Alert
from ajo_worker.views.alerts import alerts as read_alerts
from ajo_worker.views.backlog import Backlog
from ajo_worker.views.backlog import backlog as read_backlog
from ajo_worker.views.phases import read_phases, read_sums

RECENT = timedelta(minutes=5)


class Now(Struct, frozen=True):
    """Triggers a second over the last ten; how many are sending; the 95th percentile of the wait for a worker."""

    received: float
    accepted: float
    failed: float
    sending: int
    queue_seconds: float | None


class Pulse(Struct, frozen=True):
    """One frame; systems and phases are of triggers received in the last five minutes, as far as rolled up."""

    at: datetime
    now: Now
    systems: list[SystemRow]
    phases: list[PhaseRow]
    outages: list[OutageRow]
    alerts: list[Alert]
    backlog: Backlog


# A budget is a minute, so what is sending was received in these minutes, unless it is in a later round.
NOW = """
    SELECT (count(*) FILTER (WHERE received_at > now() - interval '10 seconds'))::float8 / 10 AS received,
           (count(*) FILTER (WHERE state = 'accepted' AND completed_at > now() - interval '10 seconds'))::float8 / 10
               AS accepted,
           (count(*) FILTER (WHERE state <> 'accepted' AND completed_at > now() - interval '10 seconds'))::float8 / 10
               AS failed,
           (count(*) FILTER (WHERE state = 'sending'))::int AS sending,
           percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM received_at - enqueued_at)::float8)
               FILTER (WHERE received_at > now() - interval '1 minute') AS queue_seconds
    FROM audit.triggers WHERE received_at >= now() - interval '5 minutes'
"""
OPEN = f"SELECT * FROM ({questions.OUTAGES}) AS o WHERE ended_at IS NULL OR state = 'recovering'"  # noqa: S608 - ours


async def read_pulse(connection: asyncpg.Connection) -> Pulse:
    """One frame, all of one moment."""
    found = await read_alerts(connection)
    given = (found.at - RECENT, found.at, None)
    [now] = await connection.fetch(NOW)
    charged = await connection.fetch(questions.SYSTEMS, *given, RECENT)
    percentiles = await connection.fetch(questions.TOGETHER, *given)
    triggers = sum(row["triggers"] for row in percentiles if row["phase"] == "end-to-end")
    return Pulse(
        at=found.at,
        now=Now(**now),
        systems=[SystemRow(row["system"], row["triggers"], row["seconds"]) for row in charged if row["at"] is None],
        phases=phase_rows(await read_phases(connection), await read_sums(connection), percentiles, triggers),
        outages=[OutageRow(**row) for row in await connection.fetch(OPEN, *given)],
        alerts=found.alerts,
        backlog=await read_backlog(connection),
    )
