"""What is written of a trigger after its admission: the next attempt's intent, and what came of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from ajo_worker.ledger.columns import LOCK_ORDER, columns


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
    intake_wait_seconds: float
    backoff_wait_seconds: float
    slot_wait_seconds: float
    congestion_wait_seconds: float
    rate_limit_wait_seconds: float
    throttle_wait_seconds: float
    ramp_wait_seconds: float
    silence_wait_seconds: float
    token_wait_seconds: float
    ledger_wait_seconds: float
    to_headers_seconds: float | None
    to_body_seconds: float | None
    lag_seconds: float | None
    retry_after_seconds: float | None
    http_status: int | None
    error_code: str | None
    error_title: str | None
    outcome: str
    ambiguous: bool
    failure: str | None
    adobe_request_id: str | None
    answered_request_id: str | None
    execution_id: str | None


@dataclass(frozen=True, slots=True)
class Ending:
    """The state a trigger ends in; ``first_dispatched_at`` corrects the announced instant to the real one.

    A parked one has no ``completed_at``, and goes on from ``resume_at``. ``waited_in_vain`` is a JSON object.
    """

    request_id: UUID
    fence: int
    campaign: str
    state: str
    reason: str | None
    first_dispatched_at: datetime | None
    completed_at: datetime | None
    attempts_started: int
    execution_id: str | None
    resume_at: datetime | None
    key_id: str | None
    payload: bytes | None
    waited_in_vain: str | None = None
    call_digest: str = ""


RECORD = """
    INSERT INTO ledger.attempts AS a
        (request_id, round, attempt, worker, intended_at, dispatched_at, responded_at, intake_wait_seconds,
         backoff_wait_seconds, slot_wait_seconds, congestion_wait_seconds, rate_limit_wait_seconds,
         throttle_wait_seconds, ramp_wait_seconds, silence_wait_seconds, token_wait_seconds, ledger_wait_seconds,
         to_headers_seconds, to_body_seconds, lag_seconds, retry_after_seconds, http_status, error_code, error_title,
         outcome, ambiguous, failure, adobe_request_id, answered_request_id, execution_id)
    SELECT * FROM unnest($1::uuid[], $2::int2[], $3::int2[], $4::uuid[], $5::timestamptz[], $6::timestamptz[],
                         $7::timestamptz[], $8::float8[], $9::float8[], $10::float8[], $11::float8[], $12::float8[],
                         $13::float8[], $14::float8[], $15::float8[], $16::float8[], $17::float8[], $18::float8[],
                         $19::float8[], $20::float8[], $21::float8[], $22::int2[], $23::text[], $24::text[],
                         $25::text[], $26::bool[], $27::text[], $28::text[], $29::text[], $30::text[])
    -- The only thing that is ever corrected: an attempt taken for interrupted, whose worker lived and tells the truth.
    ON CONFLICT (request_id, round, attempt) DO UPDATE
    SET dispatched_at = excluded.dispatched_at, responded_at = excluded.responded_at, outcome = excluded.outcome,
        ambiguous = excluded.ambiguous, intake_wait_seconds = excluded.intake_wait_seconds,
        backoff_wait_seconds = excluded.backoff_wait_seconds,
        slot_wait_seconds = excluded.slot_wait_seconds, congestion_wait_seconds = excluded.congestion_wait_seconds,
        rate_limit_wait_seconds = excluded.rate_limit_wait_seconds,
        throttle_wait_seconds = excluded.throttle_wait_seconds, ramp_wait_seconds = excluded.ramp_wait_seconds,
        silence_wait_seconds = excluded.silence_wait_seconds, token_wait_seconds = excluded.token_wait_seconds,
        ledger_wait_seconds = excluded.ledger_wait_seconds, to_headers_seconds = excluded.to_headers_seconds,
        to_body_seconds = excluded.to_body_seconds, lag_seconds = excluded.lag_seconds,
        retry_after_seconds = excluded.retry_after_seconds, http_status = excluded.http_status,
        error_code = excluded.error_code, error_title = excluded.error_title,
        failure = excluded.failure, adobe_request_id = excluded.adobe_request_id,
        answered_request_id = excluded.answered_request_id, execution_id = excluded.execution_id
    WHERE a.outcome = 'interrupted' AND excluded.outcome <> 'interrupted'
"""

# An acceptance is a fact, whoever learns it: it needs no ownership, only that the trigger is not known to have failed.
END = """
    WITH ended AS (
        SELECT * FROM unnest($1::uuid[], $2::int4[], $3::text[], $4::text[], $5::text[], $6::timestamptz[],
                             $7::timestamptz[], $8::int2[], $9::text[], $10::timestamptz[], $11::text[], $12::bytea[],
                             $13::text[], $14::text[])
        AS e(request_id, fence, campaign, state, reason, first_dispatched_at, completed_at, attempts_started,
             execution_id, resume_at, key_id, payload, waited_in_vain, call_digest)
    ), updated AS (
        UPDATE ledger.triggers t
        SET state = e.state, reason = e.reason, completed_at = e.completed_at, execution_id = e.execution_id,
            waited_in_vain = e.waited_in_vain::jsonb,
            first_dispatched_at = CASE WHEN t.fence = e.fence AND e.first_dispatched_at IS NOT NULL
                                       THEN e.first_dispatched_at ELSE t.first_dispatched_at END,
            attempts_started = CASE WHEN t.fence = e.fence THEN e.attempts_started ELSE t.attempts_started END
        FROM ended e
        WHERE t.request_id = e.request_id
          AND (t.state = 'sending' AND (t.fence = e.fence OR e.state = 'accepted')
               OR t.state IN ('unconfirmed', 'parked') AND e.state = 'accepted')
        RETURNING t.request_id, t.round, t.round > 1 OR t.fence <> e.fence AS perhaps_held
    ), held AS (
        INSERT INTO ledger.held_payloads
            (request_id, round, campaign, call_digest, reason, held_at, resume_at, key_id, payload)
        SELECT request_id, u.round, e.campaign, e.call_digest, coalesce(e.reason, e.state), clock_timestamp(),
               e.resume_at, e.key_id, e.payload
        FROM ended e JOIN updated u USING (request_id)
        WHERE e.payload IS NOT NULL
        ON CONFLICT (request_id) DO UPDATE
        SET round = excluded.round, call_digest = excluded.call_digest, reason = excluded.reason,
            held_at = excluded.held_at, resumed_by = NULL, resume_at = excluded.resume_at,
            key_id = excluded.key_id, payload = excluded.payload
    ), let_go AS (
        DELETE FROM ledger.held_payloads h
        USING ended e JOIN updated u USING (request_id)
        WHERE h.request_id = e.request_id AND e.payload IS NULL AND u.perhaps_held
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
