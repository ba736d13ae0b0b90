"""Which trigger a feedback is about: candidates are looked up for many at once, and a pure function decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias
from uuid import UUID

import asyncpg

Kind: TypeAlias = Literal["execution-id", "request-id", "recipient", "ambiguous", "none"]


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


UNMATCHED = Match("none")


def decide(candidates: Candidates) -> Match:
    """The first way that leads to any trigger counts; where it leads to several, the match is left open."""
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
    return UNMATCHED


BY_EXECUTION = """
    SELECT o.place, array_agg(DISTINCT a.request_id) AS found
    FROM unnest($1::int4[], $2::text[]) AS o(place, execution_id)
    JOIN ledger.attempts a ON a.execution_id = o.execution_id
    GROUP BY o.place
"""
BY_REQUEST = """
    SELECT o.place, t.request_id
    FROM unnest($1::int4[], $2::uuid[]) AS o(place, request_id) JOIN ledger.triggers t USING (request_id)
"""


async def candidates_by_id(
    connection: asyncpg.Connection, ids: Sequence[tuple[str | None, UUID | None]]
) -> list[Candidates]:
    """Candidates by execution id and by request id, for each pair of these; all with look-ups in indexes."""
    executions = [(place, execution) for place, (execution, _) in enumerate(ids) if execution is not None]
    by_execution = {row["place"]: tuple(row["found"]) for row in await _look_up(connection, BY_EXECUTION, executions)}
    requests = [(place, own) for place, (_, own) in enumerate(ids) if own is not None and place not in by_execution]
    by_request = {row["place"]: row["request_id"] for row in await _look_up(connection, BY_REQUEST, requests)}
    return [Candidates(by_execution.get(place, ()), by_request.get(place)) for place in range(len(ids))]


async def _look_up(
    connection: asyncpg.Connection, sql: str, asked: Sequence[tuple[int, object]]
) -> list[asyncpg.Record]:
    if not asked:
        return []
    rows: list[asyncpg.Record] = await connection.fetch(sql, [place for place, _ in asked], [each for _, each in asked])
    return rows
