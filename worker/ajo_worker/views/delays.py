"""Which phase the time of many triggers went into: percentiles over ``audit.delays``."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg
from msgspec import Struct

from ajo_worker.views.phases import Phase, column, read_phases
from ajo_worker.views.spread import Spread, spread_of

TOTAL = "total_seconds"
AHEAD = timedelta(days=1)
"""By how much a worker's clock may be ahead of the ledger's."""


class PhaseSpread(Spread, frozen=True):
    """Seconds of one phase over many triggers; ``share`` is its part of their total, below 0 for a skew."""

    share: float | None


class Delays(Struct, frozen=True):
    """Triggers that came to their end; ``unfinished`` ones are not among them.

    ``skewed`` counts those, ended or not, of whose machines the clocks disagree; ``systems`` has how many are charged
    to each guilty system, are on time (none), or not yet known.
    """

    triggers: int
    unfinished: int
    skewed: int
    systems: dict[str, int]
    total: PhaseSpread
    phases: dict[str, PhaseSpread]


class DelayReport(Struct, frozen=True):
    """Of triggers received from ``since`` to before ``until``: all together, and by campaign.

    ``phases`` are in their order.
    """

    at: datetime
    since: datetime
    until: datetime
    phases: list[Phase]
    all: Delays
    campaigns: dict[str, Delays]


def statement(phases: Sequence[Phase]) -> str:
    """The question for these phases, of triggers received from $1 to before $3, of the campaign $2 or all. Pure."""
    columns = ",\n           ".join(
        f"{spread_of(name)} FILTER (WHERE completed_at IS NOT NULL) AS {name},"
        f" sum({name}) FILTER (WHERE completed_at IS NOT NULL) AS sum_of_{name}"
        for name in (TOTAL, *(column(each.phase) for each in phases))
    )
    # received_at is what times are selected by: a range of request ids would lose those that are no UUIDv7 of that time
    # (foreign ids, keys with an event time in the past), and the index on received_at is as quick.
    return f"""
    SELECT GROUPING(campaign) = 1 AS every_campaign, campaign,
           count(completed_at) AS triggers, count(*) - count(completed_at) AS unfinished,
           count(*) FILTER (WHERE clock_skew) AS skewed,
           array_agg(system) AS systems,
           {columns}
    FROM audit.delays
    WHERE received_at >= $1 AND received_at < $3 AND ($2::text IS NULL OR campaign = $2)
    GROUP BY GROUPING SETS ((), (campaign)) ORDER BY campaign
    """  # noqa: S608 - built of the names of phases, which the ledger holds to letters


async def delays(
    connection: asyncpg.Connection, asked: timedelta | tuple[datetime, datetime], campaign: str | None
) -> DelayReport:
    """The report of the last while, or from one instant to before another; of one campaign if given."""
    at: datetime = await connection.fetchval("SELECT now()")
    since, until = (at - asked, at + AHEAD) if isinstance(asked, timedelta) else asked
    phases = await read_phases(connection)
    rows = await connection.fetch(statement(phases), since, campaign, until)
    every = next(row for row in rows if row["every_campaign"])
    return DelayReport(
        at=at,
        since=since,
        until=min(until, at),
        phases=phases,
        all=_of(every, phases),
        campaigns={row["campaign"]: _of(row, phases) for row in rows if not row["every_campaign"]},
    )


def _of(row: asyncpg.Record, phases: Sequence[Phase]) -> Delays:
    def spread(name: str) -> PhaseSpread:
        p50, p95, p99, longest = row[name] or (None,) * 4
        total, part = row[f"sum_of_{TOTAL}"], row[f"sum_of_{name}"]
        return PhaseSpread(p50, p95, p99, longest, part / total if part is not None and total > 0 else None)

    return Delays(
        triggers=row["triggers"],
        unfinished=row["unfinished"],
        skewed=row["skewed"],
        systems=dict(Counter(row["systems"]).most_common()),
        total=spread(TOTAL),
        phases={each.phase: spread(column(each.phase)) for each in phases},
    )
