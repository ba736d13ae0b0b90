"""Dead letters: triggers that ended unaccepted and whose payloads are held: which are meant, and what they are."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from ajo_worker.states import DEAD, DeadState

FETCHED_AT_ONCE = 500


class Filter(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which dead letters are meant: those that fit every part that is given; without any, all of them.

    ``since`` and ``until``: they ended at most, or at least, so long ago. ``statuses`` are HTTP's, of the last attempt
    of all rounds.
    """

    request_ids: tuple[UUID, ...] = ()
    campaigns: tuple[str, ...] = ()
    states: tuple[DeadState, ...] = ()
    reasons: tuple[str, ...] = ()
    statuses: tuple[int, ...] = ()
    since: timedelta | None = None
    until: timedelta | None = None


class Letter(Struct, frozen=True):
    """One dead letter; ``attempts`` are those of all rounds, ``last_status`` is HTTP's of the last one."""

    request_id: UUID
    campaign: str
    state: str
    reason: str | None
    last_status: int | None
    attempts: int
    round: int
    completed_at: datetime
    expires_at: datetime | None


class Group(Struct, frozen=True):
    """How many dead letters a campaign has in a state, for the same reason; when the first and last of them ended."""

    campaign: str
    state: str
    reason: str | None
    letters: int
    oldest: datetime
    newest: datetime


class DeadLetters(Struct, frozen=True):
    """All that fit a filter, counted, and the newest of them."""

    at: datetime
    letters: int
    groups: list[Group]
    newest: list[Letter]


@dataclass(frozen=True, slots=True)
class HeldLetter:
    """A dead letter with what was to be sent, as it is held."""

    request_id: UUID
    campaign: str
    state: str
    reason: str | None
    completed_at: datetime
    attempts: int
    key_id: str | None
    payload: bytes = field(repr=False)


# A look-up for each held payload: its cost grows with what is held, and not with the ledger.
READ = """
    ledger.held_payloads h
    CROSS JOIN LATERAL (SELECT * FROM ledger.triggers WHERE request_id = h.request_id OFFSET 0) AS t
"""
LAST_STATUS = """
    (SELECT a.http_status FROM ledger.attempts a WHERE a.request_id = h.request_id
     ORDER BY a.round DESC, a.attempt DESC LIMIT 1)
"""
GROUPS = f"""
    SELECT t.campaign, t.state, t.reason, count(*) AS letters, min(t.completed_at) AS oldest,
           max(t.completed_at) AS newest
    FROM {READ} WHERE {{}} GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3
"""  # noqa: S608 - built from the texts above
NEWEST = f"""
    WITH n AS (
        SELECT t.request_id, t.campaign, t.state, t.reason, t.round, t.completed_at, t.expires_at
        FROM {READ} WHERE {{}} ORDER BY t.completed_at DESC, t.request_id DESC LIMIT {{}}
    )
    SELECT n.*, a.attempts, a.last_status FROM n CROSS JOIN LATERAL (
        SELECT count(*) AS attempts, (array_agg(http_status ORDER BY round DESC, attempt DESC))[1] AS last_status
        FROM ledger.attempts WHERE request_id = n.request_id
    ) AS a
    ORDER BY n.completed_at DESC, n.request_id DESC
"""  # noqa: S608 - as above
HELD = f"""
    SELECT t.request_id, t.campaign, t.state, t.reason, t.completed_at, h.key_id, h.payload,
           (SELECT count(*) FROM ledger.attempts WHERE request_id = h.request_id) AS attempts
    FROM {READ} WHERE {{}} ORDER BY h.request_id
"""  # noqa: S608 - as above
OTHERS = """
    SELECT i.request_id, t.state FROM unnest($1::uuid[]) AS i(request_id)
    LEFT JOIN LATERAL (SELECT state FROM ledger.triggers WHERE request_id = i.request_id OFFSET 0) AS t ON true
    LEFT JOIN ledger.held_payloads h ON h.request_id = i.request_id
    WHERE t.state IS NULL OR NOT ledger.is_dead(t.state) OR h.request_id IS NULL
"""


@dataclass(frozen=True, slots=True)
class Conditions:
    """A WHERE clause over ``h`` (ledger.held_payloads) and ``t`` (ledger.triggers), and its arguments."""

    sql: str
    arguments: tuple[object, ...]

    def place(self, further: int = 1) -> str:
        """The place of an argument that follows these."""
        return f"${len(self.arguments) + further}"


def conditions(chosen: Filter, at: datetime) -> Conditions:
    """The dead letters that fit a filter, of those that were dead letters at a moment. Pure.

    What is redriven meanwhile and dies again is none of them: so no command meets a trigger twice.
    """
    parts: list[tuple[str, object]] = [("ledger.is_dead(t.state) AND h.held_at <= {}", at)]
    lists = {
        "h.request_id = ANY({}::uuid[])": chosen.request_ids,
        "h.campaign = ANY({}::text[])": chosen.campaigns,
        "t.state = ANY({}::text[])": chosen.states,
        "t.reason = ANY({}::text[])": chosen.reasons,
        f"{LAST_STATUS} = ANY({{}}::int[])": chosen.statuses,
    }
    parts += [(text, list(values)) for text, values in lists.items() if values]
    if chosen.since is not None:
        parts.append(("t.completed_at >= {}", at - chosen.since))
    if chosen.until is not None:
        parts.append(("t.completed_at <= {}", at - chosen.until))
    texts = [text.format(f"${place}") for place, (text, _) in enumerate(parts, start=1)]
    return Conditions(" AND ".join(texts), tuple(argument for _, argument in parts))


def described(chosen: Filter, at: datetime) -> dict[str, object]:
    """A filter as the ledger keeps it, with moments instead of durations. Pure."""
    moments = {name: at - ago for name in ("since", "until") if (ago := getattr(chosen, name)) is not None}
    facts: dict[str, object] = msgspec.to_builtins(chosen) | msgspec.to_builtins(moments)
    return facts or {"all": True}


async def dead_letters(connection: asyncpg.Connection, chosen: Filter, most: int) -> DeadLetters:
    """The dead letters that fit a filter: counts of all, and the newest ``most``."""
    at = await connection.fetchval("SELECT now()")
    where = conditions(chosen, at)
    groups = [Group(**row) for row in await connection.fetch(GROUPS.format(where.sql), *where.arguments)]
    newest = await connection.fetch(NEWEST.format(where.sql, where.place()), *where.arguments, most)
    return DeadLetters(at, sum(group.letters for group in groups), groups, [Letter(**row) for row in newest])


async def held_letters(connection: asyncpg.Connection, chosen: Filter, at: datetime) -> AsyncIterator[HeldLetter]:
    """The dead letters that fit a filter, one after another, with their payloads; inside a transaction."""
    where = conditions(chosen, at)
    async for row in connection.cursor(HELD.format(where.sql), *where.arguments, prefetch=FETCHED_AT_ONCE):
        yield HeldLetter(**row)


async def no_dead_letters(connection: asyncpg.Connection, chosen: Filter) -> dict[UUID, str]:
    """The ids of a filter that are those of no dead letters, and what they are instead."""
    rows = await connection.fetch(OTHERS, list(chosen.request_ids))
    return {row["request_id"]: _instead(row["state"]) for row in rows}


def _instead(state: str | None) -> str:
    if state is None:
        return "the ledger has no such trigger"
    return f"it is {state}, and its payload was discarded" if state in DEAD else f"it is {state}"
