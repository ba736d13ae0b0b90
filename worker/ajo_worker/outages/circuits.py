"""Circuits and outages, shared by all workers: each change is made by whoever finds it due, once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

import asyncpg
import msgspec

from ajo_worker.reasons import HELD, OutageReason

BY_ITS_UNTIL = "its until"
"""Who ended a hold that came to its end."""
CircuitState: TypeAlias = Literal["closed", "open", "held", "recovering"]
NOTHING_SENT: frozenset[CircuitState] = frozenset({"open", "held"})
"""While a circuit is in one of these, nothing is sent, but by a probe."""


@dataclass(frozen=True, slots=True)
class Circuit:
    """A row of ledger.circuits with its latest outage; ``since`` is in seconds, by the database's clock."""

    scope: str
    state: CircuitState
    outage_id: int | None
    since: float
    probe_due: bool
    ended_at: datetime | None
    reason: OutageReason | None = None


READ = """
    SELECT c.scope, c.state, c.outage_id, extract(epoch FROM clock_timestamp() - c.changed_at)::float8 AS since,
           c.state = 'open' AND coalesce(c.probe_at <= clock_timestamp(), false) AS probe_due,
           o.ended_at, o.reason
    FROM ledger.circuits c LEFT JOIN ledger.outages o USING (outage_id)
"""
KEPT_BACK = "SELECT scope FROM audit.circuits WHERE state <> 'closed'"
WORKERS = "SELECT count(*) FROM ledger.workers w WHERE ledger.lives(w)"
OPEN = """
    INSERT INTO ledger.circuits AS c (scope, state, changed_at, probe_at, probe_interval_seconds)
    VALUES ($1, 'open', clock_timestamp(), clock_timestamp() + make_interval(secs => $2), $2)
    ON CONFLICT (scope) DO UPDATE
    SET state = 'open', changed_at = clock_timestamp(), probe_at = excluded.probe_at, probing_by = NULL,
        probe_interval_seconds = excluded.probe_interval_seconds
    WHERE c.state IN ('closed', 'recovering')
    RETURNING scope
"""
HOLD = """
    INSERT INTO ledger.circuits AS c (scope, state, changed_at)
    VALUES ($1, 'held', clock_timestamp())
    ON CONFLICT (scope) DO UPDATE
    SET state = 'held', changed_at = clock_timestamp(), probe_at = NULL, probing_by = NULL
    WHERE c.state <> 'held'
    RETURNING scope
"""
PUT_OFF_END = """
    UPDATE ledger.outages o SET held_until = $2 FROM ledger.circuits c
    WHERE c.scope = $1 AND c.state = 'held' AND o.outage_id = c.outage_id RETURNING o.outage_id
"""
# A token endpoint has no rate that could come back.
END_HOLDS = f"""
    WITH due AS (
        UPDATE ledger.circuits c
        SET state = CASE WHEN c.scope LIKE 'token:%' THEN 'closed' ELSE 'recovering' END, changed_at = clock_timestamp()
        FROM ledger.outages o
        WHERE c.state = 'held' AND o.outage_id = c.outage_id AND o.held_until <= clock_timestamp()
        RETURNING c.scope, c.outage_id, c.changed_at, c.state
    ), ended AS (
        UPDATE ledger.outages o
        SET ended_at = due.changed_at, ended_by = '{BY_ITS_UNTIL}',
            recovered_at = CASE WHEN due.state = 'closed' THEN due.changed_at END
        FROM due WHERE o.outage_id = due.outage_id
    )
    SELECT scope FROM due
"""  # noqa: S608 - our own text
SUPERSEDE = """
    UPDATE ledger.outages SET ended_at = clock_timestamp(), ended_by = $2 WHERE scope = $1 AND ended_at IS NULL
"""
BEGIN_OUTAGE = """
    WITH outage AS (
        INSERT INTO ledger.outages (opened_at, scope, reason, opened_by, evidence, held_until)
        VALUES (coalesce($5, clock_timestamp()), $1, $2, $3, $4::jsonb, $6) RETURNING outage_id
    )
    UPDATE ledger.circuits c SET outage_id = outage.outage_id FROM outage WHERE c.scope = $1 RETURNING c.outage_id
"""
RECOVER = """
    UPDATE ledger.circuits SET state = 'recovering', changed_at = clock_timestamp(), probing_by = NULL, probe_at = NULL
    WHERE scope = $1 AND (state = 'open' AND ($2::uuid IS NULL OR probing_by = $2) OR state = 'held' AND $2 IS NULL)
    RETURNING outage_id
"""
ANSWERED = """
    UPDATE ledger.circuits SET state = 'recovering', changed_at = clock_timestamp(), probing_by = NULL, probe_at = NULL
    WHERE scope = $1 AND state = 'open' AND outage_id = $2
    RETURNING outage_id
"""
END_OUTAGE = "UPDATE ledger.outages SET ended_at = clock_timestamp(), ended_by = $2 WHERE outage_id = $1"
CLOSE = """
    WITH closed AS (
        UPDATE ledger.circuits SET state = 'closed', changed_at = clock_timestamp()
        WHERE state = 'recovering' AND changed_at < clock_timestamp() - make_interval(secs => $1)
        RETURNING scope, outage_id
    ), recovered AS (
        UPDATE ledger.outages o SET recovered_at = clock_timestamp() FROM closed WHERE o.outage_id = closed.outage_id
    )
    SELECT scope FROM closed
"""


async def read(connection: asyncpg.Connection) -> dict[str, Circuit]:
    """All circuits, by scope."""
    return {row["scope"]: Circuit(**row) for row in await connection.fetch(READ)}


async def kept_back(connection: asyncpg.Connection) -> list[str]:
    """The scopes whose circuit is not closed, also of lanes, hosts and campaigns that are defined no longer."""
    return [record["scope"] for record in await connection.fetch(KEPT_BACK)]


async def living_workers(connection: asyncpg.Connection) -> int:
    """How many workers there are to share a limit with, this one among them."""
    return max(int(await connection.fetchval(WORKERS)), 1)


async def open_circuit(
    connection: asyncpg.Connection,
    scope: str,
    interval: float | None,
    reason: OutageReason,
    opened_by: str,
    evidence: Mapping[str, object],
    *,
    opened_at: datetime | None = None,
) -> int | None:
    """Open a circuit and begin an outage, with the first probe in ``interval`` seconds; None if it was open or held.

    Without an interval nothing is probed. The outage began at ``opened_at``, if that is known, or now.
    """
    async with connection.transaction():
        if await connection.fetchval(OPEN, scope, interval) is None:
            return None
        return await _begin(connection, scope, reason, opened_by, evidence, opened_at)


async def hold(
    connection: asyncpg.Connection, scope: str, reason: str, operator: str, until: datetime | None = None
) -> int | None:
    """Keep a scope back ``until`` then, or until an operator resumes it; None if it is held already."""
    async with connection.transaction():
        if await connection.fetchval(HOLD, scope) is None:
            return None
        await connection.execute(SUPERSEDE, scope, operator)
        return await _begin(connection, scope, HELD, operator, {"why": reason}, held_until=until)


async def put_off_end(connection: asyncpg.Connection, scope: str, until: datetime) -> int | None:
    """Let what is held be held ``until`` then; the outage's number, or None if it isn't held."""
    outage_id: int | None = await connection.fetchval(PUT_OFF_END, scope, until)
    return outage_id


async def end_holds(connection: asyncpg.Connection) -> list[str]:
    """Let go on what was held until now; the scopes."""
    return [record["scope"] for record in await connection.fetch(END_HOLDS)]


async def recover(connection: asyncpg.Connection, scope: str, ended_by: str, prober: UUID | None = None) -> int | None:
    """End a scope's outage: its triggers go on, in growing numbers; None if it was neither open nor held.

    A ``prober`` ends only the outage that it probes, and never an operator's hold.
    """
    async with connection.transaction():
        outage_id: int | None = await connection.fetchval(RECOVER, scope, prober)
        if outage_id is not None:
            await connection.execute(END_OUTAGE, outage_id, ended_by)
        return outage_id


async def answered(connection: asyncpg.Connection, scope: str, outage_id: int, worker: UUID) -> bool:
    """End an outage in which nothing was answered, since something was; False if somebody else has ended it."""
    async with connection.transaction():
        if await connection.fetchval(ANSWERED, scope, outage_id) is None:
            return False
        await connection.execute(END_OUTAGE, outage_id, str(worker))
        return True


async def close_recovered(connection: asyncpg.Connection, after: float) -> list[str]:
    """Close what has been recovering for so many seconds."""
    return [record[0] for record in await connection.fetch(CLOSE, after)]


async def _begin(
    connection: asyncpg.Connection,
    scope: str,
    reason: OutageReason,
    opened_by: str,
    evidence: Mapping[str, object],
    opened_at: datetime | None = None,
    held_until: datetime | None = None,
) -> int:
    document = msgspec.json.encode(evidence).decode()
    outage_id: int = await connection.fetchval(BEGIN_OUTAGE, scope, reason, opened_by, document, opened_at, held_until)
    return outage_id
