"""Redriving and discarding dead letters, in batches, beside workers and others that do the same.

A redriven trigger is parked; workers send it in its next round, as any other that is parked (``resumption``).
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

import asyncpg
from msgspec import Struct

from ajo_worker.deadletters.choosing import READ, Filter, conditions, described
from ajo_worker.ledger import operations
from ajo_worker.ledger.operations import Authority
from ajo_worker.ledger.passes import BATCH, in_passes

Action: TypeAlias = Literal["redrive", "discard"]
LeftOut: TypeAlias = Literal["expires-at", "unconfirmed"]


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done to which dead letters; ``unconfirmed`` ones are redriven only if that is said.

    ``rate``: so many redriven triggers may go on a second.
    """

    action: Action
    chosen: Filter
    unconfirmed: bool = False
    rate: float = 50.0


class Planned(Struct, frozen=True):
    """Dead letters of a kind that an order changes, or leaves out: they would expire again, or may be sent twice."""

    campaign: str
    state: str
    reason: str | None
    left_out: LeftOut | None
    letters: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What an order would do to the dead letters that there are ``at`` a moment."""

    at: datetime
    kinds: list[Planned]

    @property
    def letters(self) -> int:
        """How many it changes."""
        return sum(kind.letters for kind in self.kinds if kind.left_out is None)

    @property
    def left_out(self) -> Counter[LeftOut]:
        """How many it leaves out, and why."""
        counts: Counter[LeftOut] = Counter()
        for kind in self.kinds:
            if kind.left_out is not None:
                counts[kind.left_out] += kind.letters
        return counts


@dataclass
class CarriedOut:
    """What was done so far, in which operation; ``last_at`` is when the last redriven trigger may go on."""

    operation_id: int | None = None
    letters: int = 0
    last_at: datetime | None = field(default=None, repr=False)


PLAN = f"""
    SELECT t.campaign, t.state, t.reason, {{left_out}} AS left_out, count(*) AS letters
    FROM {READ} WHERE {{where}} GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC, 1, 2, 3, 4
"""  # noqa: S608 - built from the texts of dead_letters
# Workers lock triggers before held payloads; what others have locked is left for the next pass.
TAKE = """
    SELECT h.request_id, t.round, t.state
    FROM ledger.held_payloads h JOIN ledger.triggers t USING (request_id)
    WHERE {where} AND {left_out} IS NULL AND h.request_id >= {begin}
    ORDER BY h.request_id LIMIT {batch} FOR UPDATE OF h, t SKIP LOCKED
"""
NOTE = """
    INSERT INTO ledger.operation_triggers (operation_id, request_id, round, state)
    SELECT $1, request_id, round, state FROM unnest($2::uuid[], $3::int2[], $4::text[]) AS n(request_id, round, state)
"""
COUNT = "UPDATE ledger.operations SET triggers = triggers + $2 WHERE operation_id = $1"
# Reports of its minute are computed anew.
PARK = """
    WITH parked AS (
        UPDATE ledger.triggers SET state = 'parked', reason = 'redrive', completed_at = NULL, fence = fence + 1
        WHERE request_id = ANY($1::uuid[])
        RETURNING date_trunc('minute', received_at) AS minute
    )
    INSERT INTO ledger.stale_minutes SELECT DISTINCT minute FROM parked ON CONFLICT DO NOTHING
"""
LET_GO_ON = """
    WITH due AS (
        UPDATE ledger.held_payloads h
        SET resume_at = greatest(statement_timestamp(), $2) + make_interval(secs => d.place / $3::float8),
            resumed_by = NULL, reason = 'redrive', call_digest = '' -- by whichever definition there is now
        FROM unnest($1::uuid[]) WITH ORDINALITY AS d(request_id, place)
        WHERE h.request_id = d.request_id
        RETURNING resume_at
    )
    SELECT max(resume_at) FROM due
"""
DISCARD = "DELETE FROM ledger.held_payloads WHERE request_id = ANY($1::uuid[])"


async def plan(connection: asyncpg.Connection, order: Order, at: datetime | None = None) -> Plan:
    """What an order would do, or has left undone of what there was ``at`` a moment; changes nothing."""
    moment = at or await connection.fetchval("SELECT now()")
    where = conditions(order.chosen, moment)
    rows = await connection.fetch(PLAN.format(where=where.sql, left_out=left_out_of(order)), *where.arguments)
    return Plan(moment, [Planned(**row) for row in rows])


def left_out_of(order: Order) -> str:
    """SQL that says why an order leaves a dead letter out; null if it doesn't. Pure."""
    if order.action == "discard":
        return "NULL::text"
    unconfirmed = "" if order.unconfirmed else "WHEN t.state = 'unconfirmed' THEN 'unconfirmed'"
    return f"CASE WHEN t.expires_at <= clock_timestamp() THEN 'expires-at' {unconfirmed} END"


async def carry_out(
    connection: asyncpg.Connection,
    order: Order,
    at: datetime,
    by: Authority,
    done: CarriedOut,
    progress: Callable[[int], None],
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Plan:
    """Do it to what there was ``at`` a moment; each batch is a transaction, so it may be cut off anywhere.

    Rows that others have locked are tried again, with ``pause`` (in seconds) in between.
    ``done`` grows, and ``progress`` is told, with each batch. Returns what is left: what was left out, and what is
    locked still.
    """
    left = Plan(at, [])

    async def batch(begin: UUID) -> UUID | None:
        following = await _batch(connection, order, at, by, begin, done)
        progress(done.letters)
        return following

    async def is_done() -> bool:
        nonlocal left
        left = await plan(connection, order, at)
        return not left.letters

    await in_passes(batch, is_done, pause)
    return left


async def _batch(
    connection: asyncpg.Connection, order: Order, at: datetime, by: Authority, begin: UUID, done: CarriedOut
) -> UUID | None:
    """Change the next dead letters; the id to begin with next, or None at the end."""
    where = conditions(order.chosen, at)
    take = TAKE.format(where=where.sql, left_out=left_out_of(order), begin=where.place(), batch=BATCH)
    async with connection.transaction():
        rows = await connection.fetch(take, *where.arguments, begin)
        if not rows:
            return None
        operation_id = done.operation_id or await operations.note(connection, by, order.action, _chosen(order, at))
        ids, rounds, states = ([row[name] for row in rows] for name in ("request_id", "round", "state"))
        last_at = done.last_at
        if order.action == "redrive":
            await connection.execute(PARK, ids)
            last_at = await connection.fetchval(LET_GO_ON, ids, last_at, order.rate)
        else:
            await connection.execute(DISCARD, ids)
        await connection.execute(NOTE, operation_id, ids, rounds, states)
        await connection.execute(COUNT, operation_id, len(ids))
    done.operation_id, done.last_at = operation_id, last_at
    done.letters += len(ids)
    return ids[-1] if len(ids) == BATCH else None


def _chosen(order: Order, at: datetime) -> dict[str, object]:
    return described(order.chosen, at) | ({"unconfirmed": True} if order.unconfirmed else {})
