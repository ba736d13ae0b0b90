"""Outages as operators see them: what is kept back, since when and why, what is parked for it, what probes found."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from ajo_worker.reasons import OutageReason


class TriggerProbe(Struct, frozen=True):
    """One real trigger that tried the way."""

    probed_at: datetime
    request_id: UUID
    accepted: bool
    found: str


class FailedAttempt(Struct, frozen=True):
    """One attempt that was not accepted; ``adobe_request_id`` is what Adobe's support asks for."""

    responded_at: datetime
    campaign: str
    http_status: int | None
    failure: str | None
    error_code: str | None
    error_title: str | None
    adobe_request_id: str | None


class Parked(Struct, frozen=True):
    """Triggers of one campaign that wait to go on, for whatever reason."""

    campaign: str
    triggers: int
    oldest: datetime


class WithWorkers(Struct, frozen=True):
    """What workers have in hand and don't send: messages not opened, and triggers by campaign."""

    messages: int
    triggers: dict[str, int]


class WithoutToken(Struct, frozen=True):
    """A living worker that asks for an access token in vain: since when, and what the newest answer was."""

    worker: str
    since: datetime
    failure: str | None


class Outage(Struct, frozen=True):
    """One time that a scope was kept back; ``state`` is its circuit's, if this is its latest outage.

    ``held_until`` is when an operator's hold ends by itself.
    """

    outage_id: int
    scope: str
    reason: OutageReason
    state: str | None
    opened_at: datetime
    opened_by: str
    ended_at: datetime | None
    ended_by: str | None
    probe_at: datetime | None
    probes: int
    evidence: dict[str, object]
    held_until: datetime | None = None


class Detail(Struct, frozen=True):
    """One outage with all that is known of it."""

    outage: Outage
    probes: list[TriggerProbe]
    answers: list[FailedAttempt]
    parked: list[Parked]
    with_workers: WithWorkers
    without_token: list[WithoutToken] = []


OUTAGES = """
    SELECT o.outage_id, o.scope, o.reason, c.state, o.opened_at, o.opened_by, o.ended_at, o.ended_by,
           o.held_until, c.probe_at,
           (SELECT count(*) FROM audit.probes p WHERE p.outage_id = o.outage_id) AS probes, o.evidence
    FROM audit.outages o LEFT JOIN audit.circuits c USING (outage_id)
"""
SINCE = f"{OUTAGES} WHERE o.ended_at IS NULL OR o.opened_at >= now() - $1::interval ORDER BY o.opened_at DESC"
LATEST = f"{OUTAGES} WHERE o.scope = $1 ORDER BY o.opened_at DESC LIMIT 1"
NUMBERED = f"{OUTAGES} WHERE o.outage_id = $1"
PROBES = """
    SELECT probed_at, request_id, accepted, found FROM audit.probes
    WHERE outage_id = $1 ORDER BY probed_at DESC LIMIT 10
"""
# Triggers of the scope are found by what is parked for it: their attempts are few, and looked up by key.
ANSWERS = """
    SELECT a.responded_at, h.campaign, a.http_status, a.failure, a.error_code, a.error_title, a.adobe_request_id
    FROM (SELECT request_id, campaign FROM audit.held
          WHERE campaign = ANY($1::text[]) AND held_at >= $2::timestamptz - interval '5 minutes'
          ORDER BY held_at DESC LIMIT 200) AS h
    JOIN audit.attempts a USING (request_id)
    WHERE a.outcome <> 'accepted' AND a.responded_at IS NOT NULL AND ($3::timestamptz IS NULL OR a.responded_at <= $3)
    ORDER BY a.responded_at DESC LIMIT 5
"""
FAILING_WORKERS = """
    SELECT hostname || ':' || pid AS worker, token_failed_at AS since, token_failure AS failure
    FROM audit.workers WHERE status = 'alive' AND token_failed_at IS NOT NULL ORDER BY token_failed_at
"""
PARKED = """
    SELECT campaign, count(*) AS triggers, min(held_at) AS oldest FROM audit.held
    WHERE resume_at IS NOT NULL AND campaign = ANY($1::text[]) GROUP BY campaign ORDER BY campaign
"""

UNOPENED = """
    SELECT coalesce(sum(unopened), 0)::bigint FROM audit.queues
    WHERE starts_with($1, 'token:') OR starts_with($1, 'destination:' || lane || '@')
"""
WAITING = """
    SELECT campaign, sum(waiting)::bigint AS waiting FROM audit.waiting
    WHERE waiting > 0 AND campaign = ANY($1::text[]) GROUP BY campaign ORDER BY campaign
"""


async def outages(connection: asyncpg.Connection, since: timedelta) -> list[Outage]:
    """Those that last, and those that began within ``since``; newest first."""
    return [_outage(record) for record in await connection.fetch(SINCE, since)]


async def latest(connection: asyncpg.Connection, scope: str) -> Outage | None:
    """A scope's newest outage."""
    record = await connection.fetchrow(LATEST, scope)
    return _outage(record) if record else None


async def numbered(connection: asyncpg.Connection, outage_id: int) -> Outage | None:
    """The outage with this number."""
    record = await connection.fetchrow(NUMBERED, outage_id)
    return _outage(record) if record else None


async def probes(connection: asyncpg.Connection, outage_id: int) -> list[TriggerProbe]:
    """An outage's newest probes."""
    return [TriggerProbe(**record) for record in await connection.fetch(PROBES, outage_id)]


async def detail(connection: asyncpg.Connection, outage: Outage, campaigns: Sequence[str]) -> Detail:
    """All that is known of an outage of these campaigns."""
    answers = await connection.fetch(ANSWERS, campaigns, outage.opened_at, outage.ended_at)
    return Detail(
        outage,
        await probes(connection, outage.outage_id),
        [FailedAttempt(**record) for record in answers],
        [Parked(**record) for record in await connection.fetch(PARKED, campaigns)],
        WithWorkers(
            await connection.fetchval(UNOPENED, outage.scope),
            {record["campaign"]: record["waiting"] for record in await connection.fetch(WAITING, campaigns)},
        ),
    )


async def without_token(connection: asyncpg.Connection) -> list[WithoutToken]:
    """The living workers that get no access token now, the longest first."""
    return [WithoutToken(**record) for record in await connection.fetch(FAILING_WORKERS)]


def _outage(record: asyncpg.Record) -> Outage:
    return Outage(**{**record, "evidence": msgspec.json.decode(record["evidence"])})
