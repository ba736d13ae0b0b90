"""What is written of a trigger after its admission: the next attempt's intent, and what came of each."""

from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from ajo_worker.ledger.by_day import by_day, fetch_by_day, on_day, within_day
from ajo_worker.ledger.many_rows import LOCK_ORDER, columns, count


@dataclass(frozen=True, slots=True)
class Intent:
    """The announcement of attempt 2 or later; it is refused to a worker that lost the trigger."""

    request_id: UUID
    fence: int
    attempt: int
    intended_at: datetime
    duplicate_cause: str | None


INTEND = f"""
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
      AND {within_day("t.request_id")}
    RETURNING t.request_id
"""  # noqa: S608 - nothing of a message is in it


async def intend(connection: asyncpg.Connection, rows: Sequence[Intent]) -> list[bool]:
    """Announce attempts; False where the trigger has gone to another owner, or has ended."""
    offered = sorted(rows, key=LOCK_ORDER)
    kept = await fetch_by_day(connection, INTEND, offered, lambda some: columns(some, Intent))
    ids = {record[0] for record in kept}
    return [row.request_id in ids for row in rows]


class AttemptRow(NamedTuple):
    """What came of one attempt. Its fields are the columns of ``ledger.attempts``, in the table's order."""

    request_id: UUID
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
    round: int
    attempt: int
    http_status: int | None
    ambiguous: bool
    outcome: str
    failure: str | None
    error_code: str | None
    error_title: str | None
    adobe_request_id: str | None
    answered_request_id: str | None
    execution_id: str | None


class Ending(NamedTuple):
    """The state a trigger ends in; ``first_dispatched_at`` corrects the announced instant to the real one.

    A parked one has no ``completed_at``, and goes on from ``resume_at``. ``waited_in_vain`` is a JSON object. Its
    fields are those of the type ``ledger.ending_row``, in its order.
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


class Record(NamedTuple):
    """One attempt and perhaps the end it brought; or an end without an attempt."""

    attempt: AttemptRow | None
    ending: Ending | None


def bare(record: Record) -> Record:
    """What is to be known of a call in any case: all but the texts and numbers that came with its answer. Pure."""
    attempt, ending = record
    if attempt is not None:
        attempt = attempt._replace(
            retry_after_seconds=None,
            error_code=None,
            error_title=None,
            adobe_request_id=None,
            answered_request_id=None,
            execution_id=None,
        )
    return Record(attempt, ending and ending._replace(execution_id=None, waited_in_vain=None))


ATTEMPT = ", ".join(AttemptRow._fields)
# Most waits of most attempts are nothing at all: a null takes no room.
WRITTEN = ", ".join(f"nullif({name}, 0)" if name.endswith("_wait_seconds") else name for name in AttemptRow._fields)
CORRECTED = ", ".join(
    f"{name} = excluded.{name}"
    for name in AttemptRow._fields
    if name not in {"request_id", "worker", "intended_at", "round", "attempt"}
)

# Nearly all triggers end so: accepted in the first round, under the first fence. Nothing can be held of them, and their
# attempt can have no row yet, since whoever took them over would have raised the fence.
ACCEPT = f"""
    WITH ended AS (
        UPDATE ledger.triggers t
        SET state = 'accepted', completed_at = e.completed_at, execution_id = e.execution_id,
            first_dispatched_at = e.first_dispatched_at, attempts_started = e.attempt
        FROM unnest($1::ledger.attempt_row[], $2::timestamptz[], $3::timestamptz[])
            AS e({ATTEMPT}, first_dispatched_at, completed_at)
        WHERE t.request_id = e.request_id AND t.state = 'sending' AND t.fence = 1 AND t.round = 1
          AND {within_day("t.request_id")}
        RETURNING e.*
    )
    INSERT INTO ledger.attempts ({ATTEMPT}) SELECT {WRITTEN} FROM ended
"""  # noqa: S608 - made of the fields' names
ACCEPTED = f"""
    SELECT request_id FROM ledger.triggers
    WHERE request_id = ANY($1::uuid[]) AND {within_day("request_id")}
      AND state = 'accepted' AND fence = 1 AND round = 1
"""  # noqa: S608 - nothing of a message is in it

# An acceptance is a fact, whoever learns it: it needs no ownership, only that the trigger is not known to have failed.
RECORD = f"""
    WITH ended AS (
        UPDATE ledger.triggers t
        SET state = e.state, reason = e.reason, completed_at = e.completed_at, execution_id = e.execution_id,
            waited_in_vain = e.waited_in_vain::jsonb,
            first_dispatched_at = CASE WHEN t.fence = e.fence AND e.first_dispatched_at IS NOT NULL
                                       THEN e.first_dispatched_at ELSE t.first_dispatched_at END,
            attempts_started = CASE WHEN t.fence = e.fence THEN e.attempts_started ELSE t.attempts_started END
        FROM unnest($2::ledger.ending_row[]) AS e
        WHERE t.request_id = e.request_id
          AND (t.state = 'sending' AND (t.fence = e.fence OR e.state = 'accepted')
               OR t.state IN ('unconfirmed', 'parked') AND e.state = 'accepted')
          AND {within_day("t.request_id")}
        RETURNING e.*, t.round, t.round > 1 OR t.fence <> e.fence AS perhaps_held
    ), held AS (
        INSERT INTO ledger.held_payloads
            (request_id, round, campaign, call_digest, reason, held_at, resume_at, key_id, payload)
        SELECT request_id, round, campaign, call_digest, coalesce(reason, state), clock_timestamp(), resume_at, key_id,
               payload
        FROM ended WHERE payload IS NOT NULL
        ON CONFLICT (request_id) DO UPDATE
        SET round = excluded.round, call_digest = excluded.call_digest, reason = excluded.reason,
            held_at = excluded.held_at, resumed_by = NULL, resume_at = excluded.resume_at,
            key_id = excluded.key_id, payload = excluded.payload
    ), let_go AS (
        DELETE FROM ledger.held_payloads h USING ended e
        WHERE h.request_id = e.request_id AND e.payload IS NULL AND e.perhaps_held
    ), recorded AS (
        INSERT INTO ledger.attempts AS a ({ATTEMPT})
        SELECT {WRITTEN} FROM (SELECT count(*) FROM ended) AS first, unnest($1::ledger.attempt_row[]) -- in LOCK_ORDER
        -- All that is ever corrected: an attempt taken for interrupted, whose worker lived and tells the truth.
        ON CONFLICT (request_id, round, attempt) DO UPDATE SET {CORRECTED}
        WHERE a.outcome = 'interrupted' AND excluded.outcome <> 'interrupted'
    )
    SELECT request_id FROM ended
"""  # noqa: S608 - as above


async def record(connection: asyncpg.Connection, records: Sequence[Record]) -> list[bool]:
    """Write attempts and ends, each trigger's in one commit; True where its state was set by this row."""
    plain = [(attempt, ending) for attempt, ending in records if attempt and ending and is_plain(attempt, ending)]
    ended = await _accept(connection, plain) if plain else set()
    others = [one for one in records if not (one.ending and one.ending.request_id in ended)]
    ended |= await _record(connection, others) if others else set()
    return [one.ending is not None and one.ending.request_id in ended for one in records]


def is_plain(attempt: AttemptRow, ending: Ending) -> bool:
    """Whether ACCEPT is for it, if the trigger still is as its worker has it. Pure."""
    return (
        (attempt.outcome, attempt.round, ending.state, ending.fence) == ("accepted", 1, "accepted", 1)
        and (attempt.attempt, attempt.execution_id) == (ending.attempts_started, ending.execution_id)
        and ending.first_dispatched_at is not None
        and ending.payload is None
        and ending.waited_in_vain is None
    )


async def _accept(connection: asyncpg.Connection, plain: Sequence[tuple[AttemptRow, Ending]]) -> set[UUID]:
    """The triggers that are accepted now, or were by a commit whose acknowledgement was lost."""
    pairs = sorted(plain, key=lambda pair: pair[0].request_id.int)
    days = by_day(pairs, lambda pair: pair[0].request_id)
    return {request_id for day, some in days for request_id in await _accept_of_day(connection, day, some)}


async def _accept_of_day(
    connection: asyncpg.Connection, day: int, pairs: Sequence[tuple[AttemptRow, Ending]]
) -> set[UUID]:
    attempts = [attempt for attempt, _ in pairs]
    moments = [ending.first_dispatched_at for _, ending in pairs], [ending.completed_at for _, ending in pairs]
    ids = [attempt.request_id for attempt in attempts]
    with suppress(asyncpg.UniqueViolationError):  # of an attempt that has a row all the same: RECORD leaves it as it is
        if count(await connection.execute(on_day(ACCEPT, day), attempts, *moments)) == len(pairs):
            return set(ids)
    return {record[0] for record in await connection.fetch(on_day(ACCEPTED, day), ids)}


async def _record(connection: asyncpg.Connection, records: Sequence[Record]) -> set[UUID]:
    """The triggers that have come to an end by this."""
    attempts = {(o.attempt.request_id, o.attempt.round, o.attempt.attempt): o.attempt for o in records if o.attempt}
    endings = sorted({o.ending.request_id: o.ending for o in records if o.ending}.values(), key=LOCK_ORDER)
    in_order = sorted(attempts.values(), key=LOCK_ORDER)
    of_attempts = dict(by_day(in_order, lambda row: row.request_id))
    of_endings = dict(by_day(endings, lambda row: row.request_id))
    days = sorted({*of_attempts, *of_endings})
    async with connection.transaction() if len(days) > 1 else nullcontext():
        return {
            row[0]
            for day in days
            for row in await connection.fetch(on_day(RECORD, day), of_attempts.get(day, []), of_endings.get(day, []))
        }
