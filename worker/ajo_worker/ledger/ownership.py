"""How triggers change hands: from a dead worker to one that has a copy, and from a stopping worker to nobody."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from ajo_worker.ledger.by_day import fetch_by_day, within_day
from ajo_worker.ledger.many_rows import LOCK_ORDER, columns


@dataclass(frozen=True, slots=True)
class Takeover:
    """A dead worker's trigger changes hands, if it still is as the taker has seen it.

    ``interrupted`` records its last announced attempt, ``attempts_started``, as cut off. ``marked``: that is a possible
    duplicate. It will mostly be repeated, and its worker may be frozen, and finish it yet.
    """

    request_id: UUID
    fence: int
    owner: UUID
    attempts_started: int
    interrupted: bool
    marked: bool = False


TAKE_OVER = f"""
    WITH wanted AS (
        SELECT * FROM unnest($1::uuid[], $2::int4[], $3::uuid[], $4::int2[], $5::bool[], $6::bool[])
        AS w(request_id, fence, owner, attempts_started, interrupted, marked)
    ), taken AS (
        UPDATE ledger.triggers t
        SET owner = w.owner, fence = t.fence + 1, redeliveries = t.redeliveries + 1,
            possible_duplicate = t.possible_duplicate OR w.marked,
            duplicate_causes = CASE WHEN w.marked AND NOT 'worker-crash' = ANY(t.duplicate_causes)
                                    THEN t.duplicate_causes || 'worker-crash'::text ELSE t.duplicate_causes END
        FROM wanted w, ledger.triggers old
        WHERE t.request_id = w.request_id AND t.fence = w.fence AND t.state = 'sending'
          AND old.request_id = w.request_id
          AND {within_day("t.request_id")} AND {within_day("old.request_id")}
          AND (old.owner = w.owner
               OR (SELECT ledger.lives(h) FROM ledger.workers h WHERE h.worker_id = old.owner) IS NOT TRUE
               -- Whoever seems dead itself judges nobody: the clock was set, or its own heart is slow.
               AND (SELECT ledger.lives(me) FROM ledger.workers me WHERE me.worker_id = w.owner) IS NOT FALSE)
          -- The owner may have been slow, and not dead: what it did since the look makes the taker look again.
          AND t.attempts_started = w.attempts_started
          AND NOT (w.interrupted AND ( -- EXISTS may read all between the bounds, to look each up in that
              SELECT a.attempt FROM ledger.attempts a
              WHERE a.request_id = t.request_id AND a.round = t.round AND a.attempt = t.attempts_started
                AND {within_day("a.request_id")}) IS NOT NULL)
        -- One that was given up has no owner; whose attempt was cut off is then unknown, and the taker stands for it.
        RETURNING t.request_id, t.round, t.attempts_started, t.last_intent_at, coalesce(old.owner, w.owner) AS owner,
                  w.interrupted, w.owner AS taker
    ), cut_off AS (
        INSERT INTO ledger.attempts (request_id, round, attempt, worker, intended_at, dispatched_at, outcome, ambiguous)
        SELECT request_id, round, attempts_started, owner, last_intent_at, last_intent_at, 'interrupted', true
        FROM taken WHERE interrupted
        ON CONFLICT DO NOTHING
    ), held AS (
        UPDATE ledger.held_payloads h SET resumed_by = t.taker
        FROM taken t
        WHERE h.request_id = t.request_id AND t.round > 1 -- no message brings it back: another worker must find it
    )
    SELECT request_id FROM taken
"""  # noqa: S608 - nothing of a message is in it


async def take_over(connection: asyncpg.Connection, rows: Sequence[Takeover]) -> list[bool]:
    """Change the owner; False where somebody else was faster, the owner lives after all, or this is a repetition."""
    wanted = sorted(rows, key=LOCK_ORDER)
    taken = await fetch_by_day(connection, TAKE_OVER, wanted, lambda some: columns(some, Takeover))
    ids = {record[0] for record in taken}
    return [row.request_id in ids for row in rows]


@dataclass(frozen=True, slots=True)
class Release:
    """A stopping worker gives up a trigger that it has nothing in flight for: the next one need not wait for its end.

    ``attempts`` are those on record; one that was announced and not sent doesn't count.
    """

    request_id: UUID
    fence: int
    attempts: int


RELEASE = f"""
    UPDATE ledger.triggers t
    SET owner = NULL, attempts_started = r.attempts, fence = t.fence + 1 -- nothing that we wrote before may come after
    FROM unnest($1::uuid[], $2::int4[], $3::int2[]) AS r(request_id, fence, attempts)
    WHERE t.request_id = r.request_id AND t.fence = r.fence AND t.state = 'sending'
      AND {within_day("t.request_id")}
"""  # noqa: S608 - nothing of a message is in it


async def release(connection: asyncpg.Connection, rows: Sequence[Release]) -> list[None]:
    """Give up ownership; where the trigger has gone to another owner, nothing is changed."""
    given_up = sorted(rows, key=LOCK_ORDER)
    await fetch_by_day(connection, RELEASE, given_up, lambda some: columns(some, Release))
    return [None] * len(rows)
