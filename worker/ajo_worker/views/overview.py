"""What became of the triggers of a while, and what is under way: the overview of ``ajo-dispatch status``."""

from collections import Counter
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
from msgspec import Struct

from ajo_worker.ledger import unknown_definitions
from ajo_worker.ledger.unknown_definitions import UnknownDefinition
from ajo_worker.views.backlog import Backlog
from ajo_worker.views.backlog import backlog as read_backlog


class StateCount(Struct, frozen=True):
    """How many triggers are in a state for the same reason."""

    state: str
    reason: str
    triggers: int


class WorkerRow(Struct, frozen=True):
    """One worker process: alive, dead (no heartbeat) or stopped in good order."""

    worker_id: UUID
    hostname: str
    pid: int
    version: str
    status: str
    sending: int
    heartbeat_age_seconds: float
    clock_skew_seconds: float | None


class Oldest(Struct, frozen=True):
    """The trigger that has been sending for longest."""

    request_id: UUID
    campaign: str
    received_at: datetime
    age_seconds: float


class Held(Struct, frozen=True):
    """Payloads held for triggers that are parked or dead letters; of all times."""

    state: str
    reason: str
    triggers: int
    oldest: datetime


class Overview(Struct, frozen=True):
    """Triggers received since ``since``, ended or under way; ``held`` and ``quarantined`` are of all times."""

    at: datetime
    since: datetime
    triggers: int
    states: dict[str, int]
    campaigns: dict[str, dict[str, int]]
    reasons: list[StateCount]
    workers: list[WorkerRow]
    oldest_sending: Oldest | None
    possible_duplicates: int
    duplicate_causes: dict[str, int]
    held: list[Held]
    quarantined: int
    backlog: Backlog
    differing_copies: int = 0
    unknown_definitions: list[UnknownDefinition] = []


# One pass over the while: everything that is counted comes from these few groups.
GROUPS = """
    SELECT campaign, state, reason, possible_duplicate, duplicate_causes,
           CASE WHEN state = 'sending' THEN owner END AS owner,
           count(*) AS triggers, min(received_at) AS oldest
    FROM audit.triggers WHERE received_at >= $1
    GROUP BY 1, 2, 3, 4, 5, 6
"""
OLDEST = """
    SELECT request_id, campaign, received_at, extract(epoch FROM now() - received_at)::float8 AS age_seconds
    FROM audit.triggers WHERE received_at = $1 AND state = 'sending' LIMIT 1
"""
# Those that live, those that send something, and those that died in the while.
WORKERS = """
    SELECT worker_id, hostname, pid, version, clock_skew_seconds,
           status, extract(epoch FROM now() - heartbeat_at)::float8 AS heartbeat_age_seconds
    FROM audit.workers
    WHERE worker_id = ANY($2::uuid[]) OR status = 'alive' OR (stopped_at IS NULL AND heartbeat_at >= $1)
    ORDER BY stopped_at IS NOT NULL, hostname, pid, worker_id
"""
# A look-up for each held payload, as in ajo_worker.deadletters.choosing: a join would read the whole ledger.
HELD = """
    SELECT coalesce(t.state, 'forgotten') AS state, h.reason, count(*) AS triggers, min(h.held_at) AS oldest
    FROM audit.held h
    LEFT JOIN LATERAL (SELECT state FROM audit.triggers WHERE request_id = h.request_id OFFSET 0) AS t ON true
    GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
"""

DIFFERING = "SELECT count(*) FROM audit.differing_copies WHERE last_seen_at >= $1"


async def overview(connection: asyncpg.Connection, since: timedelta) -> Overview:
    """Everything at one moment."""
    at = await connection.fetchval("SELECT now()")
    begin = at - since
    groups = await connection.fetch(GROUPS, begin)
    states: Counter[str] = Counter()
    campaigns: dict[str, Counter[str]] = {}
    reasons: Counter[tuple[str, str]] = Counter()
    owners: Counter[UUID] = Counter()
    causes: Counter[str] = Counter()
    for group in groups:
        states[group["state"]] += group["triggers"]
        campaigns.setdefault(group["campaign"], Counter())[group["state"]] += group["triggers"]
        if group["reason"] is not None:
            reasons[group["state"], group["reason"]] += group["triggers"]
        if group["owner"] is not None:
            owners[group["owner"]] += group["triggers"]
        for cause in group["duplicate_causes"]:
            causes[cause] += group["triggers"]
    oldest = min((group["oldest"] for group in groups if group["state"] == "sending"), default=None)
    found = await connection.fetchrow(OLDEST, oldest) if oldest is not None else None
    workers = await connection.fetch(WORKERS, begin, list(owners))
    return Overview(
        at=at,
        since=begin,
        triggers=sum(states.values()),
        states=dict(states),
        campaigns={name: dict(campaigns[name]) for name in sorted(campaigns)},
        reasons=[StateCount(*ended, count) for ended, count in reasons.most_common()],
        workers=[WorkerRow(**worker, sending=owners[worker["worker_id"]]) for worker in workers],
        oldest_sending=Oldest(**found) if found else None,
        possible_duplicates=sum(group["triggers"] for group in groups if group["possible_duplicate"]),
        duplicate_causes=dict(causes.most_common()),
        held=[Held(**held) for held in await connection.fetch(HELD)],
        differing_copies=await connection.fetchval(DIFFERING, begin),
        quarantined=await connection.fetchval("SELECT count(*) FROM audit.quarantine"),
        unknown_definitions=await unknown_definitions.lasting(connection),
        backlog=await read_backlog(connection),
    )
