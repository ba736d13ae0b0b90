"""Who may probe what is kept back, and when: one worker at a time; and what probes showed."""

from uuid import UUID

import asyncpg

CLAIM_PROBE = """
    UPDATE ledger.circuits c
    SET probing_by = $2, probing_until = clock_timestamp() + make_interval(secs => $3)
    WHERE c.scope = $1 AND c.state = 'open' AND c.probe_at <= clock_timestamp()
      AND (c.probing_by IS NULL OR c.probing_until < clock_timestamp()
           OR (SELECT ledger.lives(w) FROM ledger.workers w WHERE w.worker_id = c.probing_by) IS NOT TRUE)
    RETURNING c.outage_id
"""
PUT_OFF_PROBE = """
    UPDATE ledger.circuits SET probing_by = NULL, probe_at = clock_timestamp() + make_interval(secs => $3)
    WHERE scope = $1 AND probing_by = $2
"""
PROBE_FAILED = """
    UPDATE ledger.circuits
    SET probing_by = NULL, probe_interval_seconds = least(2 * probe_interval_seconds, $3),
        probe_at = clock_timestamp() + make_interval(secs => greatest(least(2 * probe_interval_seconds, $3) - $4, 0))
    WHERE scope = $1 AND probing_by = $2 AND state = 'open'
"""
PROBE_NOW = """
    UPDATE ledger.circuits SET probe_at = clock_timestamp() WHERE scope = $1 AND state = 'open' RETURNING outage_id
"""
NOTE_PROBE = """
    INSERT INTO ledger.probes (outage_id, probed_at, request_id, worker, accepted, found)
    VALUES ($1, clock_timestamp(), $2, $3, $4, $5)
"""


async def claim_probe(connection: asyncpg.Connection, scope: str, worker: UUID, seconds: float) -> int | None:
    """Take the right to probe for so many seconds; None if it isn't due, or a living worker has that right.

    Otherwise the outage's number.
    """
    outage_id: int | None = await connection.fetchval(CLAIM_PROBE, scope, worker, seconds)
    return outage_id


async def put_off_probe(connection: asyncpg.Connection, scope: str, worker: UUID, seconds: float) -> None:
    """Give the right to probe back: there was nothing to probe with."""
    await connection.execute(PUT_OFF_PROBE, scope, worker, seconds)


async def note_probe(
    connection: asyncpg.Connection, outage_id: int, request_id: UUID, worker: UUID, *, accepted: bool, found: str
) -> None:
    """Keep what a probe showed."""
    await connection.execute(NOTE_PROBE, outage_id, request_id, worker, accepted, found)


async def probe_failed(
    connection: asyncpg.Connection, scope: str, worker: UUID, longest: float, took: float = 0.0
) -> None:
    """Put the next probe off twice as long as the last, ``longest`` seconds at most, from where this one began.

    It ``took`` so many seconds: one that waited for an answer in vain needs no pause afterwards.
    """
    await connection.execute(PROBE_FAILED, scope, worker, longest, took)


async def probe_now(connection: asyncpg.Connection, scope: str) -> int | None:
    """Have the next probe made at once; the outage's number, or None if the scope isn't open."""
    outage_id: int | None = await connection.fetchval(PROBE_NOW, scope)
    return outage_id
