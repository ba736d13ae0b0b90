"""What is written of a trigger after its admission: the next attempt's intent, what came of each, takeovers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from uuid import UUID

import asyncpg

from ajo_worker.ledger.columns import columns

LOCK_ORDER = attrgetter("request_id")
"""Rows are locked in the order of their ids, and triggers before attempts: else workers lock each other out."""


@dataclass(frozen=True, slots=True)
class Intent:
    """The announcement of attempt 2 or later; it is refused to a worker that lost the trigger."""

    request_id: UUID
    fence: int
    attempt: int
    intended_at: datetime
    duplicate_cause: str | None


INTEND = """
    UPDATE ledger.triggers t
    SET attempts_started = i.attempt, last_intent_at = i.intended_at,
        first_dispatched_at = coalesce(t.first_dispatched_at, i.intended_at),
        possible_duplicate = t.possible_duplicate OR i.cause IS NOT NULL,
        duplicate_causes = CASE WHEN i.cause IS NULL OR i.cause = ANY(t.duplicate_causes) THEN t.duplicate_causes
                                ELSE t.duplicate_causes || i.cause END
    FROM unnest($1::uuid[], $2::int4[], $3::int2[], $4::timestamptz[], $5::text[])
        AS i(request_id, fence, attempt, intended_at, cause)
    WHERE t.request_id = i.request_id AND t.fence = i.fence AND t.state = 'sending'
      AND t.attempts_started <= i.attempt -- not what was given up with its connection, and arrives late
    RETURNING t.request_id
"""


async def intend(connection: asyncpg.Connection, rows: Sequence[Intent]) -> list[bool]:
    """Announce attempts; False where the trigger has gone to another owner, or has ended."""
    kept = {record[0] for record in await connection.fetch(INTEND, *columns(sorted(rows, key=LOCK_ORDER), Intent))}
    return [row.request_id in kept for row in rows]


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """What came of one attempt, and, where it ended the round, of the trigger (``state`` and what follows it)."""

    request_id: UUID
    round: int
    attempt: int
    worker: UUID
    intended_at: datetime
    dispatched_at: datetime
    responded_at: datetime | None
    backoff_wait_seconds: float
    slot_wait_seconds: float
    rate_limit_wait_seconds: float
    token_wait_seconds: float
    ledger_wait_seconds: float
    to_headers_seconds: float | None
    to_body_seconds: float | None
    retry_after_seconds: float | None
    http_status: int | None
    error_code: str | None
    error_title: str | None
    outcome: str
    ambiguous: bool
    failure: str | None
    adobe_request_id: str | None


@dataclass(frozen=True, slots=True)
class Ending:
    """The state a trigger ends in; ``first_dispatched_at`` corrects the announced instant to the real one."""

    request_id: UUID
    fence: int
    state: str
    reason: str | None
    first_dispatched_at: datetime | None
    completed_at: datetime
    attempts_started: int
    execution_id: str | None
    payload: bytes | None


RECORD = """
    INSERT INTO ledger.attempts AS a
        (request_id, round, attempt, worker, intended_at, dispatched_at, responded_at, backoff_wait_seconds,
         slot_wait_seconds, rate_limit_wait_seconds, token_wait_seconds, ledger_wait_seconds, to_headers_seconds,
         to_body_seconds, retry_after_seconds, http_status, error_code, error_title, outcome, ambiguous, failure,
         adobe_request_id)
    SELECT * FROM unnest($1::uuid[], $2::int2[], $3::int2[], $4::uuid[], $5::timestamptz[], $6::timestamptz[],
                         $7::timestamptz[], $8::float8[], $9::float8[], $10::float8[], $11::float8[], $12::float8[],
                         $13::float8[], $14::float8[], $15::float8[], $16::int2[], $17::text[], $18::text[],
                         $19::text[], $20::bool[], $21::text[], $22::text[])
    -- The only thing that is ever corrected: an attempt taken for interrupted, whose worker lived and tells the truth.
    ON CONFLICT (request_id, round, attempt) DO UPDATE
    SET dispatched_at = excluded.dispatched_at, responded_at = excluded.responded_at, outcome = excluded.outcome,
        ambiguous = excluded.ambiguous, backoff_wait_seconds = excluded.backoff_wait_seconds,
        slot_wait_seconds = excluded.slot_wait_seconds, rate_limit_wait_seconds = excluded.rate_limit_wait_seconds,
        token_wait_seconds = excluded.token_wait_seconds, ledger_wait_seconds = excluded.ledger_wait_seconds,
        to_headers_seconds = excluded.to_headers_seconds, to_body_seconds = excluded.to_body_seconds,
        retry_after_seconds = excluded.retry_after_seconds, http_status = excluded.http_status,
        error_code = excluded.error_code, error_title = excluded.error_title, failure = excluded.failure,
        adobe_request_id = excluded.adobe_request_id
    WHERE a.outcome = 'interrupted' AND excluded.outcome <> 'interrupted'
"""

# An acceptance is a fact, whoever learns it: it needs no ownership, only that nothing else ended the trigger before.
END = """
    WITH ended AS (
        SELECT * FROM unnest($1::uuid[], $2::int4[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[],
                             $7::int2[], $8::text[], $9::bytea[])
        AS e(request_id, fence, state, reason, first_dispatched_at, completed_at, attempts_started, execution_id,
             payload)
    ), updated AS (
        UPDATE ledger.triggers t
        SET state = e.state, reason = e.reason, completed_at = e.completed_at, execution_id = e.execution_id,
            first_dispatched_at = CASE WHEN t.fence = e.fence AND e.first_dispatched_at IS NOT NULL
                                       THEN e.first_dispatched_at ELSE t.first_dispatched_at END,
            attempts_started = CASE WHEN t.fence = e.fence THEN e.attempts_started ELSE t.attempts_started END
        FROM ended e
        WHERE t.request_id = e.request_id AND t.state = 'sending' AND (t.fence = e.fence OR e.state = 'accepted')
        RETURNING t.request_id, t.round
    ), held AS (
        INSERT INTO ledger.held_payloads (request_id, round, payload, held_at, reason)
        SELECT request_id, u.round, e.payload, e.completed_at, coalesce(e.reason, e.state)
        FROM ended e JOIN updated u USING (request_id)
        WHERE e.payload IS NOT NULL
        ON CONFLICT (request_id) DO UPDATE
        SET round = excluded.round, payload = excluded.payload, held_at = excluded.held_at, reason = excluded.reason
    )
    SELECT request_id FROM updated
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt and perhaps the end it brought; or an end without an attempt."""

    attempt: AttemptRow | None
    ending: Ending | None


async def record(connection: asyncpg.Connection, outcomes: Sequence[Outcome]) -> list[bool]:
    """Write attempts and ends in one transaction; True where the trigger's state was set by this row."""
    attempts = {(o.attempt.request_id, o.attempt.round, o.attempt.attempt): o.attempt for o in outcomes if o.attempt}
    endings = {o.ending.request_id: o.ending for o in outcomes if o.ending}
    ended: set[UUID] = set()
    async with connection.transaction():
        if endings:
            rows = sorted(endings.values(), key=LOCK_ORDER)
            ended = {row[0] for row in await connection.fetch(END, *columns(rows, Ending))}
        if attempts:
            await connection.execute(RECORD, *columns(sorted(attempts.values(), key=LOCK_ORDER), AttemptRow))
    return [o.ending is not None and o.ending.request_id in ended for o in outcomes]


@dataclass(frozen=True, slots=True)
class Takeover:
    """A dead worker's trigger changes hands, if it still is as the taker has seen it.

    ``interrupted`` records its last announced attempt, ``attempts_started``, as cut off.
    """

    request_id: UUID
    fence: int
    owner: UUID
    attempts_started: int
    interrupted: bool


TAKE_OVER = """
    WITH wanted AS (
        SELECT * FROM unnest($1::uuid[], $2::int4[], $3::uuid[], $4::int2[], $5::bool[])
        AS w(request_id, fence, owner, attempts_started, interrupted)
    ), taken AS (
        UPDATE ledger.triggers t
        SET owner = w.owner, fence = t.fence + 1, redeliveries = t.redeliveries + 1
        FROM wanted w, ledger.triggers old
        WHERE t.request_id = w.request_id AND t.fence = w.fence AND t.state = 'sending'
          AND old.request_id = t.request_id
          AND (old.owner = w.owner OR NOT EXISTS (
              SELECT FROM ledger.workers h WHERE h.worker_id = old.owner AND h.stopped_at IS NULL
                  AND greatest(h.heartbeat_at, pg_postmaster_start_time()) > clock_timestamp() - $6::interval))
          -- The owner may have been slow, and not dead: what it did since the look makes the taker look again.
          AND t.attempts_started = w.attempts_started
          AND NOT (w.interrupted AND EXISTS (
              SELECT FROM ledger.attempts a
              WHERE a.request_id = t.request_id AND a.round = t.round AND a.attempt = t.attempts_started))
        RETURNING t.request_id, t.round, t.attempts_started, t.last_intent_at, old.owner, w.interrupted
    ), cut_off AS (
        INSERT INTO ledger.attempts (request_id, round, attempt, worker, intended_at, dispatched_at, outcome, ambiguous)
        SELECT request_id, round, attempts_started, owner, last_intent_at, last_intent_at, 'interrupted', true
        FROM taken WHERE interrupted
        ON CONFLICT DO NOTHING
    )
    SELECT request_id FROM taken
"""


async def take_over(connection: asyncpg.Connection, rows: Sequence[Takeover], owner_timeout: timedelta) -> list[bool]:
    """Change the owner; False where somebody else was faster, the owner lives after all, or this is a repetition."""
    offered = columns(sorted(rows, key=LOCK_ORDER), Takeover)
    taken = {record[0] for record in await connection.fetch(TAKE_OVER, *offered, owner_timeout)}
    return [row.request_id in taken for row in rows]


@dataclass(frozen=True, slots=True)
class Release:
    """A stopping worker gives up a trigger that it has nothing in flight for: the next one need not wait for its end.

    ``attempts`` are those on record; one that was announced and not sent doesn't count.
    """

    request_id: UUID
    fence: int
    attempts: int


RELEASE = """
    UPDATE ledger.triggers t
    SET owner = NULL, attempts_started = r.attempts, fence = t.fence + 1 -- nothing that we wrote before may come after
    FROM unnest($1::uuid[], $2::int4[], $3::int2[]) AS r(request_id, fence, attempts)
    WHERE t.request_id = r.request_id AND t.fence = r.fence AND t.state = 'sending'
"""


async def release(connection: asyncpg.Connection, rows: Sequence[Release]) -> list[None]:
    """Give up ownership; where the trigger has gone to another owner, nothing is changed."""
    await connection.execute(RELEASE, *columns(sorted(rows, key=LOCK_ORDER), Release))
    return [None] * len(rows)
