"""A worker's row: what it says of itself with each heartbeat; and whose rows say that they are dead."""

import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.metadata import version
from uuid import UUID

import asyncpg
import msgspec

from ajo_worker.ledger.clock import LedgerClock

# $6 is the skew as of the previous beat: the answer to this one is not known yet.
BEAT = """
    INSERT INTO ledger.workers (worker_id, hostname, pid, version, started_at, heartbeat_at, clock_skew_seconds,
                                token_failed_at, token_failure, owner_timeout_seconds, budget_seconds, lanes,
                                definitions, rate_limits, rate_recovery_seconds, ramp_rate, ramp_doubling_seconds,
                                unopened, waiting)
    VALUES ($1, $2, $3, $4, $5, clock_timestamp(), $6, $7, $8, $9, $10, $11, $12::jsonb, $13::jsonb, $14, $15, $16,
            $17::jsonb, $18::jsonb)
    ON CONFLICT (worker_id) DO UPDATE
    SET heartbeat_at = clock_timestamp(), clock_skew_seconds = excluded.clock_skew_seconds,
        token_failed_at = excluded.token_failed_at, token_failure = excluded.token_failure,
        unopened = excluded.unopened, waiting = excluded.waiting
"""
# Whoever seems dead itself knows nothing of others: the clock was set, or its own heart is slow.
DEAD = """
    SELECT worker_id FROM ledger.workers w
    WHERE NOT ledger.lives(w) AND ledger.last_sign(w) > clock_timestamp() - interval '1 hour'
      AND (SELECT ledger.lives(me) FROM ledger.workers me WHERE me.worker_id = $1) IS NOT FALSE
"""
STOPPED = "UPDATE ledger.workers SET stopped_at = clock_timestamp() WHERE worker_id = $1"

VERSION = version("ajo-dispatch")
"""Read once: it comes from the installation's files."""
MOST_FAILURE = 200
"""Characters that are kept of why there is no token."""


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast a worker goes: calls a second by lane, and how they come back after 429s and after an outage."""

    rate_limits: Mapping[str, float]
    rate_recovery: float
    ramp_rate: float
    ramp_doubling: float


NO_LIMITS = Speed({}, 1.0, 1.0, 1.0)
"""The speed of a worker that has no limit."""


@dataclass(frozen=True, slots=True)
class Unsent:
    """What a worker has in hand: messages by queue that are not opened, and triggers by lane and campaign.

    Of triggers those with no call under way.
    """

    unopened: Mapping[str, int] = field(default_factory=dict)
    waiting: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


class WorkerRow:
    """That of one worker process; ``definitions`` are the call digests that it sends, by campaign."""

    def __init__(
        self,
        worker_id: UUID,
        *,
        owner_timeout: float,
        budget: float,
        lanes: Sequence[str],
        definitions: Mapping[str, Sequence[str]],
        speed: Speed,
    ) -> None:
        self._worker_id = worker_id
        self._facts = (
            owner_timeout,
            budget,
            list(lanes),
            _json(definitions),
            _json(speed.rate_limits),
            speed.rate_recovery,
            speed.ramp_rate,
            speed.ramp_doubling,
        )

    async def beat(
        self, connection: asyncpg.Connection, clock: LedgerClock, failing: tuple[float, str] | None, in_hand: Unsent
    ) -> None:
        """Say that it lives; ``failing``: since when (monotonic), and why, there is no access token."""
        await connection.execute(
            BEAT,
            self._worker_id,
            socket.gethostname(),
            os.getpid(),
            VERSION,
            clock.now(),
            clock.skew / timedelta(seconds=1),
            clock.at(failing[0]) if failing else None,
            failing[1][:MOST_FAILURE] if failing else None,
            *self._facts,
            _json(in_hand.unopened),
            _json(in_hand.waiting),
        )

    async def stopped(self, connection: asyncpg.Connection) -> None:
        """Say that it has ended, and owns nothing any more."""
        await connection.execute(STOPPED, self._worker_id)


async def dead_workers(connection: asyncpg.Connection, me: UUID) -> frozenset[UUID]:
    """Workers that have ended or died within the last hour, as far as this one may judge."""
    return frozenset(record[0] for record in await connection.fetch(DEAD, me))


def _json(content: object) -> str:
    return msgspec.json.encode(content).decode()
