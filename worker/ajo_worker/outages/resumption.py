"""Parked triggers go on: a worker opens their next round. No message stands behind it: others find it here."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import asyncpg

from ajo_worker.ledger.many_rows import HELD_ENDS, within


@dataclass(frozen=True, slots=True)
class Resumed:
    """A trigger whose next round this worker has opened, or that a dead worker had opened."""

    request_id: UUID
    batch_id: UUID
    producer: str
    enqueued_at: datetime
    received_at: datetime
    round_opened_at: datetime
    lane: str
    call_digest: str
    key_id: str | None
    payload: bytes = field(repr=False)


NamesAndDigests: TypeAlias = Sequence[tuple[str, str]]
"""By which definitions a worker sends: the campaign's name, and a call digest of its triggers, or none of theirs."""

# Oldest first of each definition; which of them comes first is left to chance, that none may starve. held_payloads is
# locked before triggers here, and after them by the END of a trigger that is sending; both hold a row of the same
# trigger only where a late acceptance meets a resumption.
OLDEST = """
    SELECT h.request_id
    FROM (SELECT * FROM unnest($1::text[], $2::text[]) AS u(campaign, call_digest) ORDER BY random()) AS c
    CROSS JOIN LATERAL (
        SELECT request_id FROM ledger.held_payloads
        WHERE campaign = c.campaign AND call_digest = c.call_digest AND resume_at <= clock_timestamp()
        ORDER BY resume_at LIMIT ceil($3::float8 / $5)::int -- each campaign has its share
        FOR UPDATE SKIP LOCKED
    ) AS h
    LIMIT $3
"""
# Of the 10,000 oldest: those that came together may all have the same fault of their own.
ANY = """
    SELECT request_id FROM ledger.held_payloads
    WHERE request_id IN (
        SELECT request_id FROM (
            SELECT request_id FROM ledger.held_payloads
            WHERE (campaign, call_digest) IN (SELECT * FROM unnest($1::text[], $2::text[]))
              AND resume_at <= clock_timestamp() ORDER BY resume_at LIMIT 10000
        ) AS h ORDER BY random() LIMIT $3
    )
    FOR UPDATE SKIP LOCKED
"""
OPEN = """
    WITH free AS ({free}), accepted AS ( -- a late 202 that met the parking of the same trigger
        DELETE FROM ledger.held_payloads h USING free JOIN ledger.triggers t USING (request_id)
        WHERE h.request_id = free.request_id AND t.state = 'accepted' AND {near}
    ), opened AS (
        UPDATE ledger.triggers t
        SET state = 'sending', reason = NULL, round = t.round + 1, fence = t.fence + 1, owner = $4,
            attempts_started = 0, first_dispatched_at = NULL, last_intent_at = NULL, completed_at = NULL,
            round_opened_at = clock_timestamp()
        FROM free WHERE t.request_id = free.request_id AND t.state = 'parked' AND {near}
        RETURNING t.request_id, t.batch_id, t.producer, t.enqueued_at, t.received_at, t.round_opened_at, t.lane
    )
    UPDATE ledger.held_payloads h SET resume_at = NULL, resumed_by = $4
    FROM opened o WHERE h.request_id = o.request_id
    RETURNING o.*, h.call_digest, h.key_id, h.payload
"""
RESUME = OPEN.format(free=OLDEST, near=within("t.request_id", "$6", "$7"))
RESUME_SOME = OPEN.format(free=ANY, near=within("t.request_id", "$5", "$6"))
MAY_GO_ON = f"""{HELD_ENDS} WHERE EXISTS (
    SELECT FROM unnest($1::text[], $2::text[]) AS c (campaign, call_digest) JOIN ledger.held_payloads h
    USING (campaign, call_digest) WHERE h.resume_at <= clock_timestamp())
"""
RESUMED = f"{HELD_ENDS} WHERE EXISTS (SELECT FROM ledger.held_payloads WHERE resumed_by IS NOT NULL)"
RESCUE = f"""
    SELECT t.request_id, t.batch_id, t.producer, t.enqueued_at, t.received_at, t.round_opened_at, t.lane,
           h.call_digest, h.key_id, h.payload
    FROM ledger.held_payloads h JOIN ledger.triggers t USING (request_id)
    LEFT JOIN ledger.workers w ON w.worker_id = h.resumed_by
    WHERE h.resumed_by IS NOT NULL AND t.state = 'sending' AND {within("t.request_id", "$5", "$6")}
      AND ((h.campaign, h.call_digest) IN (SELECT * FROM unnest($1::text[], $2::text[]))
           OR NOT EXISTS (SELECT FROM ledger.workers k
                          WHERE ledger.lives(k) AND ledger.knows(k, h.campaign, h.call_digest)))
      AND CASE WHEN h.resumed_by = $4
               THEN t.round_opened_at NOT BETWEEN statement_timestamp() - make_interval(secs => w.owner_timeout_seconds)
                                          AND statement_timestamp() -- later: its clock was set back since
               ELSE NOT ledger.lives(w)
                    AND (SELECT ledger.lives(me) FROM ledger.workers me WHERE me.worker_id = $4) IS NOT FALSE END
    LIMIT $3
"""  # noqa: S608 - as above

PARK_AGAIN = """
    WITH parked AS (
        UPDATE ledger.triggers t
        SET state = 'parked', reason = 'payload-unreadable', owner = NULL, fence = t.fence + 1, round = t.round - 1
        WHERE t.request_id = $1 AND t.state = 'sending' AND t.attempts_started = 0 AND t.round > 1
          AND (t.owner = $2 OR (SELECT ledger.lives(w) FROM ledger.workers w WHERE w.worker_id = t.owner) IS NOT TRUE)
        RETURNING t.request_id
    )
    UPDATE ledger.held_payloads h
    SET resumed_by = NULL, resume_at = clock_timestamp() + make_interval(secs => $3), reason = 'payload-unreadable'
    FROM parked WHERE h.request_id = parked.request_id
"""
UNREADABLE_FOR = 60.0
"""Seconds until a payload that couldn't be read is tried again: another worker may have its key."""


async def park_again(connection: asyncpg.Connection, request_id: UUID, worker: UUID) -> None:
    """Put a trigger back whose payload this worker can't read: the round that was opened for it doesn't count."""
    await connection.execute(PARK_AGAIN, request_id, worker, UNREADABLE_FOR)


async def resume(
    connection: asyncpg.Connection, definitions: NamesAndDigests, most: int, worker: UUID
) -> list[Resumed]:
    """Open the next round of up to ``most`` parked triggers of these definitions that may go on."""
    campaigns = {name for name, _ in definitions}
    if (ends := await connection.fetchrow(MAY_GO_ON, *_columns(definitions))) is None:
        return []
    return await _fetch(connection, RESUME, definitions, most, worker, max(len(campaigns), 1), *ends)


async def resume_some(
    connection: asyncpg.Connection, definitions: NamesAndDigests, most: int, worker: UUID
) -> list[Resumed]:
    """The same for any of them instead of the oldest."""
    if (ends := await connection.fetchrow(MAY_GO_ON, *_columns(definitions))) is None:
        return []
    return await _fetch(connection, RESUME_SOME, definitions, most, worker, *ends)


async def rescue(
    connection: asyncpg.Connection, definitions: NamesAndDigests, most: int, worker: UUID
) -> list[Resumed]:
    """Resumed triggers whose worker is dead: to be taken over as copies of a message would be.

    Also those that ``worker`` itself opened a while ago: it may never have learnt of them. And those whose definition
    no living worker has.
    """
    if (ends := await connection.fetchrow(RESUMED)) is None:
        return []
    return await _fetch(connection, RESCUE, definitions, most, worker, *ends)


async def _fetch(
    connection: asyncpg.Connection, statement: str, definitions: NamesAndDigests, *arguments: object
) -> list[Resumed]:
    return [Resumed(**record) for record in await connection.fetch(statement, *_columns(definitions), *arguments)]


def _columns(definitions: NamesAndDigests) -> tuple[list[str], list[str]]:
    return [name for name, _ in definitions], [digest for _, digest in definitions]
