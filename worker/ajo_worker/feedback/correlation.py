"""Which trigger a feedback is about: candidates are looked up for many at once, and a pure function decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias
from uuid import UUID

import asyncpg

from ajo_worker.ledger.many_rows import within

Kind: TypeAlias = Literal["execution-id", "request-id", "recipient", "ambiguous", "none", "apart"]


@dataclass(frozen=True, slots=True)
class Candidates:
    """The triggers that a feedback may be about, by the way in which they were found; each once.

    ``by_execution``: an attempt of theirs was answered with its execution id. ``by_request``: its request id is theirs.
    ``by_recipient``: sent to the same recipient by the same campaign at the time. ``by_companion``: another feedback of
    the same execution and recipient was found to be about them.
    """

    by_execution: tuple[UUID, ...] = ()
    by_request: UUID | None = None
    by_recipient: tuple[UUID, ...] = ()
    by_companion: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """How the trigger was found, and which it is: None if none was, or several may be meant."""

    kind: Kind
    request_id: UUID | None = None


UNMATCHED, APART = Match("none"), Match("apart")


def best_match(candidates: Candidates, *, of_others: bool = False) -> Match:
    """The first way that leads to any trigger counts; where it leads to several, the match is left open.

    What leads to none and is ``of_others`` is kept apart: nobody looks for its trigger any more.
    """
    ways: tuple[tuple[Kind, tuple[UUID, ...]], ...] = (
        ("execution-id", candidates.by_execution),
        ("request-id", () if candidates.by_request is None else (candidates.by_request,)),
        ("recipient", candidates.by_recipient),
        ("recipient", candidates.by_companion),
    )
    for kind, found in ways:
        if len(found) == 1:
            return Match(kind, found[0])
        if found:
            return Match("ambiguous")
    return APART if of_others else UNMATCHED


# All that workers ever had a definition of. Of a ledger without any, nothing is known.
CAMPAIGN_IDS = "SELECT DISTINCT campaign_id FROM ledger.campaigns"


async def campaign_ids(connection: asyncpg.Connection) -> frozenset[str]:
    """Adobe's ids of the campaigns that are ours."""
    return frozenset(record[0].lower() for record in await connection.fetch(CAMPAIGN_IDS))


def is_of_others(campaign_id: str | None, ours: frozenset[str], *, told: bool) -> bool:
    """Whether feedback is of a campaign that isn't ours: ``told`` by itself, or by its campaign's id. Pure."""
    if campaign_id is not None and campaign_id.lower() in ours:
        return False
    return told or (campaign_id is not None and bool(ours))


# Attempts are in daily partitions by request id, and each look-up asks each of them: so only those of the days around
# are asked, and the one for ids that carry no time.
BY_EXECUTION = """
    SELECT o.place, array_agg(DISTINCT a.request_id) AS found
    FROM unnest($1::int4[], $2::text[]) AS o(place, execution_id)
    CROSS JOIN LATERAL (
        SELECT request_id FROM ledger.attempts
        WHERE execution_id = o.execution_id
          AND request_id >= ledger.uuid7_floor($3) AND request_id < ledger.uuid7_floor($4)
        UNION ALL
        SELECT request_id FROM ledger.attempts_default WHERE execution_id = o.execution_id
    ) AS a
    GROUP BY o.place
"""
BY_REQUEST = f"""
    SELECT o.place, t.request_id
    FROM unnest($1::int4[], $2::uuid[]) AS o(place, request_id) JOIN ledger.triggers t USING (request_id)
    WHERE {within("t.request_id", "$3", "$4")}
"""  # noqa: S608 - our own text


@dataclass(frozen=True, slots=True)
class Span:
    """The time in which triggers were made that are looked for by execution id."""

    since: datetime
    until: datetime


WHENEVER = Span(datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))
BEFORE, AFTER = timedelta(days=8), timedelta(days=1)


def around(moments: Sequence[datetime]) -> Span:
    """The time in which triggers were made, as a rule, of which something happened at these moments (at least one)."""
    return Span(max(min(moments) - BEFORE, WHENEVER.since), max(moments) + AFTER)


async def candidates_by_id(
    connection: asyncpg.Connection, ids: Sequence[tuple[str | None, UUID | None]], span: Span = WHENEVER
) -> list[Candidates]:
    """Candidates by execution id and by request id, for each pair of these; all with look-ups in indexes."""
    executions = [(place, execution) for place, (execution, _) in enumerate(ids) if execution is not None]
    found = await _look_up(connection, BY_EXECUTION, executions, span.since, span.until)
    by_execution = {row["place"]: tuple(row["found"]) for row in found}
    requests = [(place, own) for place, (_, own) in enumerate(ids) if own is not None and place not in by_execution]
    theirs = sorted(own for _, own in requests)
    found = await _look_up(connection, BY_REQUEST, requests, *theirs[:1], *theirs[-1:])
    by_request = {row["place"]: row["request_id"] for row in found}
    return [Candidates(by_execution.get(place, ()), by_request.get(place)) for place in range(len(ids))]


async def _look_up(
    connection: asyncpg.Connection, sql: str, asked: Sequence[tuple[int, object]], *more: object
) -> list[asyncpg.Record]:
    if not asked:
        return []
    places, ids = [place for place, _ in asked], [each for _, each in asked]
    rows: list[asyncpg.Record] = await connection.fetch(sql, places, ids, *more)
    return rows
