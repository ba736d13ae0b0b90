"""Which closed chunks have changed for good reasons since they were sealed, and which reasons."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from itertools import groupby

import asyncpg
from ajo_producers.contract.timed_ids import floor_of

from ajo_worker.evidence.chain import Seal
from ajo_worker.evidence.chunks import Chunk, chunks_of

UNEXPLAINED = "unexplained"
CAME_LATE, ENDED = "came late", "ended"
TIMES = {"triggers": "received_at", "attempts": "intended_at"}

REVISED_HOURS = """
    SELECT s.place FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::int8[]) WITH ORDINALITY
        AS s(relation, low, high, revisions, place)
    WHERE EXISTS (SELECT FROM ledger.revisions r WHERE r.relation = s.relation AND r.revision_id > s.revisions
                  AND r.request_id >= s.low AND r.request_id < s.high)
"""
REVISED_DAYS = """
    SELECT (t.{1} AT TIME ZONE 'UTC')::date AS day, max(r.revision_id) AS revision_id
    FROM ledger.revisions r JOIN ledger.{0}_default t USING (request_id) WHERE r.relation = '{0}' GROUP BY 1
"""
CAUSES = """
    SELECT DISTINCT coalesce(cause, 'unexplained') AS cause FROM audit.revisions
    WHERE relation = $1 AND revision_id > $2 AND request_id >= $3 AND request_id < $4
"""
CAUSES_DEFAULT = "SELECT cause FROM audit.default_causes($1, $2, $3, $4) AS cause"
ANY_ENDED = """
    SELECT EXISTS (SELECT FROM unnest($1::uuid[]) AS o(request_id) JOIN ledger.triggers t USING (request_id)
                   WHERE t.state NOT IN ('sending', 'parked'))
"""
# A few pages of block range index tell where such rows are.
LATE = """
    SELECT width_bucket(request_id, $4::uuid[]) - 1 AS hour, max(received_at) AS received_at FROM ledger.triggers
    WHERE request_id >= $1 AND request_id < $2 AND received_at >= $3 AND received_at < $5 GROUP BY 1
"""


async def changes(
    connection: asyncpg.Connection, newest: Mapping[Chunk, Seal], until: datetime
) -> dict[tuple[Chunk, ...], list[str]]:
    """Chunks that are to be sealed again, together with those that hang together with them, and the causes."""
    causes: dict[tuple[Chunk, ...], set[str]] = defaultdict(set)
    for seal in await _revised(connection, newest):
        causes[pair_of(seal.chunk)] |= await causes_since(connection, seal)
    for chunk, seal in newest.items():
        if seal.open_triggers and await connection.fetchval(ANY_ENDED, seal.open_triggers):
            causes[pair_of(chunk)].add(ENDED)
    for pair in await _late(connection, newest, until):
        causes[pair].add(CAME_LATE)
    return {pair: sorted(found) for pair, found in sorted(causes.items(), key=lambda item: item[0][0].begin)}


async def causes_since(connection: asyncpg.Connection, seal: Seal) -> set[str]:
    """Why rows of a seal have been revised since."""
    if seal.from_id is not None:
        rows = await connection.fetch(CAUSES, seal.relation, seal.revisions, seal.from_id, seal.to_id)
    else:
        table, chunk = seal.relation.removesuffix("_default"), seal.chunk
        rows = await connection.fetch(CAUSES_DEFAULT, table, seal.revisions, chunk.begin, chunk.end)
    return {row["cause"] for row in rows}


def pair_of(chunk: Chunk) -> tuple[Chunk, ...]:
    """The triggers and the attempts of the same hour, or day. Pure."""
    suffix = "" if chunk.from_id is not None else "_default"
    return tuple(Chunk(chunk.day, f"{table}{suffix}", chunk.from_id, chunk.to_id) for table in TIMES)


async def _revised(connection: asyncpg.Connection, newest: Mapping[Chunk, Seal]) -> list[Seal]:
    hours = [seal for seal in newest.values() if seal.relation in TIMES]
    columns = [[getattr(seal, name) for seal in hours] for name in ("relation", "from_id", "to_id", "revisions")]
    found = [hours[row["place"] - 1] for row in await connection.fetch(REVISED_HOURS, *columns)]
    for table, at in TIMES.items():
        for row in await connection.fetch(REVISED_DAYS.format(table, at)):
            seal = newest.get(Chunk(row["day"], f"{table}_default"))
            if seal is not None and seal.revisions < row["revision_id"]:
                found.append(seal)
    return found


async def _late(
    connection: asyncpg.Connection, newest: Mapping[Chunk, Seal], until: datetime
) -> list[tuple[Chunk, ...]]:
    hours = {chunk: seal for chunk, seal in newest.items() if chunk.relation == "triggers"}
    found = []
    for day, of_day in groupby(sorted(hours, key=lambda chunk: chunk.begin), key=lambda chunk: chunk.day):
        since = min(hours[chunk].covers_until for chunk in of_day)
        triggers = [group[0] for group in chunks_of(day)[:-1]]
        floors = [chunk.from_id for chunk in triggers]
        begin, end = triggers[0].begin, triggers[-1].end
        for row in await connection.fetch(LATE, floor_of(begin), floor_of(end), since, floors, until):
            chunk = triggers[row["hour"]]
            if chunk in hours and row["received_at"] >= hours[chunk].covers_until:
                found.append(pair_of(chunk))
    return found
