"""Which phase the time of many triggers went into: percentiles over ``audit.delays``."""

from collections import Counter
from datetime import datetime, timedelta

import asyncpg
from msgspec import Struct

PHASES = {
    "producer": "producer",
    "skew": "clocks",
    "broker": "broker",
    "absent": "worker",
    "full": "worker",
    "outage": "adobe-api",
    "held": "worker",
    "redrive": "worker",
    "slot": "worker",
    "rate_limit": "worker",
    "token": "adobe-api",
    "ledger": "worker",
    "other": "worker",
    "back_off": "adobe-api",
    "headers": "adobe-api",
    "body": "adobe-api",
    "handover": "worker",
    "ending": "worker",
    "residual": "",
    "departure": "adobe-departure",
    "delivery": "downstream",
}
"""Phases in the order in which a trigger goes through them, as audit.phases has them, and the system charged with each.

What follows the residual comes after the trigger's end, and is in no total.
"""


class Spread(Struct, frozen=True):
    """Seconds of one phase over many triggers; ``share`` is its part of their total, below 0 for a skew."""

    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None
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
    total: Spread
    phases: dict[str, Spread]


class DelayReport(Struct, frozen=True):
    """Of triggers received since ``since``: all together, and by campaign."""

    at: datetime
    since: datetime
    all: Delays
    campaigns: dict[str, Delays]


def _statement() -> str:
    columns = ",\n           ".join(
        f"percentile_cont(ARRAY[0.5, 0.95, 0.99, 1]) WITHIN GROUP (ORDER BY {name}_seconds)"
        f" FILTER (WHERE completed_at IS NOT NULL) AS {name},"
        f" sum({name}_seconds) FILTER (WHERE completed_at IS NOT NULL) AS {name}_sum"
        for name in ("total", *PHASES)
    )
    return f"""
    SELECT GROUPING(campaign) = 1 AS every_campaign, campaign,
           count(completed_at) AS triggers, count(*) - count(completed_at) AS unfinished,
           count(*) FILTER (WHERE clock_skew) AS skewed,
           array_agg(system) AS systems,
           {columns}
    FROM audit.delays
    WHERE received_at >= $1 AND ($2::text IS NULL OR campaign = $2)
    GROUP BY GROUPING SETS ((), (campaign)) ORDER BY campaign
    """  # noqa: S608 - built from the names above


# received_at is what times are selected by: a range of request ids would lose those that are no UUIDv7 of that time
# (foreign ids, keys with an event time in the past), and the index on received_at is as quick.
DELAYS = _statement()


async def delays(connection: asyncpg.Connection, since: timedelta, campaign: str | None) -> DelayReport:
    """The report of a while; of one campaign if given."""
    at = await connection.fetchval("SELECT now()")
    rows = await connection.fetch(DELAYS, at - since, campaign)
    every = next(row for row in rows if row["every_campaign"])
    return DelayReport(
        at=at,
        since=at - since,
        all=_of(every),
        campaigns={row["campaign"]: _of(row) for row in rows if not row["every_campaign"]},
    )


def _of(row: asyncpg.Record) -> Delays:
    def spread(name: str) -> Spread:
        p50, p95, p99, longest = row[name] or (None,) * 4
        total, part = row["total_sum"], row[f"{name}_sum"]
        return Spread(p50, p95, p99, longest, part / total if part is not None and total > 0 else None)

    return Delays(
        triggers=row["triggers"],
        unfinished=row["unfinished"],
        skewed=row["skewed"],
        systems=dict(Counter(row["systems"]).most_common()),
        total=spread("total"),
        phases={name: spread(name) for name in PHASES},
    )
