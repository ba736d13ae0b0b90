"""Admission: the first row of a trigger, which claims it and announces its first attempt in one commit.

A copy of a trigger that the ledger knows already gets what is known of it instead, and a pure decision says what to do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import asyncpg

from ajo_worker.ledger.by_day import by_day, on_day, within_day
from ajo_worker.ledger.clock import STEP_SECONDS
from ajo_worker.ledger.many_rows import LOCK_ORDER, count
from ajo_worker.states import InsertState


class Admission(NamedTuple):
    """A trigger's first row. ``sending`` announces attempt 1; any other state ends it, or parks it, without one.

    Its fields are those of the type ``ledger.admission_row``, in its order. ``recipient_hashes`` is the literal of a
    ``bytea[]``.
    """

    request_id: UUID
    campaign: str
    lane: str
    batch_id: UUID
    producer: str
    trace_id: str | None
    recipients: int
    recipient_hashes: str | None
    state: InsertState
    reason: str | None
    occurred_at: datetime | None
    outbox_at: datetime | None
    enqueued_at: datetime
    received_at: datetime
    intended_at: datetime | None
    completed_at: datetime | None
    attempts_started: int
    expires_at: datetime | None
    owner: UUID
    resume_at: datetime | None
    key_id: str | None
    payload: bytes | None
    call_digest: str = ""
    content_digest: bytes | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger holds of a trigger whose copy has come again; the budget counts from ``first_dispatched_at``.

    ``looked_at`` is the ledger's clock; ``before_step``: workers noticed that it was set back since the round began.
    ``not_before`` is until when ``Retry-After`` asked to wait. Ambiguous and interrupted attempts are those of all
    rounds: what may have been accepted in an earlier one (``ambiguous_before``) makes the next a possible duplicate.
    """

    state: str
    owner: UUID | None
    owner_alive: bool
    fence: int
    round: int
    attempts_started: int
    first_dispatched_at: datetime | None
    last_intent_at: datetime | None
    last_attempt_recorded: bool
    not_before: datetime | None
    ambiguous_attempts: int
    ambiguous_before: int
    interrupted_attempts: int
    looked_at: datetime
    before_step: bool
    content_digest: bytes | None = None

    @property
    def clock_stepped(self) -> bool:
        """Whether the ledger's clock was set back since the round began: nobody knows what is left of its budget."""
        ahead = self.first_dispatched_at is not None and self.first_dispatched_at - self.looked_at > MOST_AHEAD
        return ahead or self.before_step


MOST_AHEAD = timedelta(seconds=STEP_SECONDS)
"""How far in the ledger's future a round may have begun: workers estimate that clock."""

HELD = {"resume_at", "key_id", "payload", "call_digest"}
"""Fields that go to ``ledger.held_payloads``."""
SAME = ", ".join(name for name in Admission._fields if name not in {"intended_at", "recipient_hashes", *HELD})
INSERT = f"""
    INSERT INTO ledger.triggers ({SAME}, first_dispatched_at, last_intent_at, recipient_hashes)
    SELECT {SAME}, intended_at, intended_at, recipient_hashes::bytea[] FROM unnest($1::ledger.admission_row[])
    ON CONFLICT (request_id) DO NOTHING
"""  # noqa: S608 - made of the fields' names
INSERT_HELD = f"""
    WITH offered AS (
        SELECT * FROM unnest($1::ledger.admission_row[])
    ), admitted AS (
        INSERT INTO ledger.triggers ({SAME}, first_dispatched_at, last_intent_at, recipient_hashes)
        SELECT {SAME}, intended_at, intended_at, recipient_hashes::bytea[] FROM offered
        ON CONFLICT (request_id) DO NOTHING
        RETURNING request_id
    )
    INSERT INTO ledger.held_payloads
        (request_id, round, campaign, call_digest, reason, held_at, resume_at, key_id, payload)
    SELECT request_id, 1, campaign, call_digest, reason, clock_timestamp(), resume_at, key_id, payload
    FROM offered JOIN admitted USING (request_id)
    ON CONFLICT DO NOTHING
"""  # noqa: S608 - as above

LOOK = f"""
    SELECT t.request_id, t.state, t.owner, t.fence, t.round, t.attempts_started, t.first_dispatched_at,
           t.content_digest, t.last_intent_at, ledger.lives(w) AS owner_alive,
           a.recorded AS last_attempt_recorded, a.not_before, a.ambiguous AS ambiguous_attempts,
           a.ambiguous_before, a.interrupted AS interrupted_attempts, clock_timestamp() AS looked_at,
           EXISTS (SELECT FROM ledger.clock_steps
                   WHERE seconds < 0 AND t.first_dispatched_at BETWEEN stamped_since AND stamped_until) AS before_step
    FROM ledger.triggers t
    LEFT JOIN ledger.workers w ON w.worker_id = t.owner
    CROSS JOIN LATERAL (
        SELECT coalesce(bool_or(a.attempt = t.attempts_started) FILTER (WHERE a.round = t.round), false) AS recorded,
               -- A wait that began before the clock was set forward is longer by that much.
               max(a.responded_at + make_interval(secs => a.retry_after_seconds + coalesce((
                   SELECT max(seconds) FROM ledger.clock_steps
                   WHERE noticed_at > a.responded_at AND seconds > 0
                     AND a.responded_at <= noticed_at - make_interval(secs => seconds)), 0)))
                   FILTER (WHERE a.round = t.round) AS not_before,
               count(*) FILTER (WHERE a.ambiguous) AS ambiguous,
               count(*) FILTER (WHERE a.ambiguous AND a.round < t.round) AS ambiguous_before,
               count(*) FILTER (WHERE a.outcome = 'interrupted') AS interrupted
        FROM ledger.attempts a WHERE a.request_id = t.request_id AND {within_day("a.request_id")}
    ) a
    WHERE t.request_id = ANY($1::uuid[]) AND {within_day("t.request_id")}
"""  # noqa: S608 - nothing of a message is in it


async def admit(connection: asyncpg.Connection, rows: Sequence[Admission]) -> list[Known | None]:
    """Insert what is new (None in the answer) and look up what is known.

    A repetition after a commit whose acknowledgement was lost finds its own row, and counts it as new. Where all rows
    were inserted, nothing is looked up: PostgreSQL only says how many were.
    """
    offered = sorted(rows, key=LOCK_ORDER)
    inserted = 0
    for statement, held in ((INSERT, False), (INSERT_HELD, True)):
        if some := [row for row in offered if (row.payload is not None) is held]:
            inserted += count(await connection.execute(statement, some))
    if inserted == len(rows):
        return [None] * len(rows)
    known = await look(connection, [row.request_id for row in offered])
    return [_unless_own(row, known.get(row.request_id)) for row in rows]


async def look(connection: asyncpg.Connection, request_ids: Sequence[UUID]) -> dict[UUID, Known]:
    """What the ledger holds of these triggers."""
    wanted = sorted(request_ids, key=lambda request_id: request_id.int)
    return {
        record["request_id"]: Known(**{name: record[name] for name in Known.__slots__})
        for day, some in by_day(wanted, lambda request_id: request_id)
        for record in await connection.fetch(on_day(LOOK, day), some)
    }


def _unless_own(row: Admission, known: Known | None) -> Known | None:
    if known is None:
        raise LookupError("the ledger refused a row that it doesn't hold")
    own = known.owner == row.owner and known.fence == 1 and known.last_intent_at == row.intended_at
    return None if own and known.state == row.state else known


@dataclass(frozen=True, slots=True)
class Settled:
    """The trigger has its state (or is parked): this copy has nothing left to do."""

    state: str


@dataclass(frozen=True, slots=True)
class Wait:
    """A living worker has the trigger: this copy waits for what becomes of it."""


@dataclass(frozen=True, slots=True)
class TakeOver:
    """The owner is dead. ``interrupted`` if its last announced attempt has no record: it may have been sent."""

    known: Known
    interrupted: bool


def on_copy(known: Known, me: UUID) -> Settled | Wait | TakeOver:
    """What to do with a copy of a trigger that the ledger knows. Pure.

    A trigger of our own that isn't in hand any more (its copies would have joined it) was handed back: it has no other
    owner to wait for.
    """
    if known.state != "sending":
        return Settled(known.state)
    if known.owner_alive and known.owner != me:
        return Wait()
    return TakeOver(known, interrupted=known.attempts_started > 0 and not known.last_attempt_recorded)
