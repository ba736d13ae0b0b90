"""Digesting a chunk's rows, inside the database: as they are, or as they were when it was sealed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import asyncpg

from ajo_worker.evidence.chunks import RELATIONS, Chunk, Relation, minutes_of

# What a row's JSON depends on, whatever the role's or the server's defaults are; and no plan that is made while others
# wait. Rows of an hour are sorted minute by minute.
SESSION = {
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
}


@dataclass(frozen=True, slots=True)
class View:
    """How rows are seen: only what came before ``covers_until``; of ``open_triggers`` no more than the id.

    Rows that were changed after revision ``revisions`` are seen as they were before.
    """

    covers_until: datetime
    revisions: int
    open_triggers: Sequence[UUID] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Digested:
    """What came of it: ``later`` rows are there, and not covered."""

    rows: int
    later: int
    digest: bytes


# Of rows with several revisions the first one after the seal says what was sealed.
REVISED = """
    SELECT DISTINCT ON (1, 2, 3) request_id, CASE WHEN attempt IS NOT NULL THEN round END AS round, attempt, fingerprint
    FROM ledger.revisions
    WHERE revision_id > $1 AND relation = $2 AND ($3::uuid IS NULL OR request_id >= $3)
      AND ($4::uuid IS NULL OR request_id < $4)
    ORDER BY 1, 2, 3, revision_id
"""
ROWS = """
    SELECT {key_columns}, {covered} AS covered,
           CASE WHEN {open} THEN sha256(convert_to(t.{id}::text, 'UTF8'))
                ELSE coalesce({was}, ledger.fingerprint(to_jsonb(t) - $1::text[])) END AS fingerprint
    FROM {rows} {join}
    WHERE {where}
"""
DIGEST = """
    SELECT count(*) FILTER (WHERE covered) AS rows, count(*) FILTER (WHERE NOT covered) AS later,
           sha256(coalesce(string_agg(fingerprint, ''::bytea ORDER BY {order}) FILTER (WHERE covered), ''))
               AS digest
    FROM ({rows}) AS r
"""
BY_MINUTE = """
    SELECT sum(m.rows)::bigint AS rows, sum(m.later)::bigint AS later,
           sha256(string_agg(m.digest, ''::bytea ORDER BY b.low)) AS digest
    FROM unnest($8::uuid[], $9::uuid[]) AS b(low, high)
    CROSS JOIN LATERAL ({digest}) AS m
"""
REVISIONS = (
    "LEFT JOIN unnest($4::uuid[], $5::int2[], $6::int2[], $7::bytea[]) AS s(request_id, round, attempt, was) "
    "ON s.request_id = t.request_id AND s.round IS NOT DISTINCT FROM {0} AND s.attempt IS NOT DISTINCT FROM {1}"
)
OPEN = "t.request_id = ANY($3::uuid[])"


async def digest(connection: asyncpg.Connection, chunk: Chunk, view: View) -> Digested:
    """Digest a chunk's rows. The connection must have the settings of ``SESSION``."""
    relation = RELATIONS[chunk.relation]
    arguments: list[object] = [list(relation.without), view.covers_until, list(view.open_triggers)]
    revised = await _revised(connection, chunk, view) if relation.revised else []
    arguments += [[row[name] for row in revised] for name in ("request_id", "round", "attempt", "fingerprint")]
    if relation.hourly:
        bounds = minutes_of(chunk)
        arguments += [bounds[:-1], bounds[1:], chunk.from_id, chunk.to_id]
    else:
        arguments += [chunk.begin, chunk.end]
    row = await connection.fetchrow(_statement(relation), *arguments)
    return Digested(row["rows"], row["later"], row["digest"])


async def _revised(connection: asyncpg.Connection, chunk: Chunk, view: View) -> list[asyncpg.Record]:
    table = chunk.relation.removesuffix("_default")
    return list(await connection.fetch(REVISED, view.revisions, table, chunk.from_id, chunk.to_id))


def _statement(relation: Relation) -> str:
    """The statement that digests rows of a kind. Pure."""
    keys = relation.key.split(", ")
    first = keys[0].removeprefix("t.")
    covered = f"{relation.at} < $2"
    opened, was, join = "false", "NULL::bytea", ""
    if relation.revised is not None:
        was, join = "s.was", REVISIONS.format(*relation.revised)
        if relation.name.startswith("triggers"):
            opened = OPEN
        else:  # what belongs to a trigger that is under way may still grow and be corrected
            covered += f" AND NOT {OPEN}"
    if relation.hourly:  # twice: the hour for the planner to choose partitions by, the minute for the digest
        where = f"t.{first} >= $10 AND t.{first} < $11 AND t.{first} >= b.low AND t.{first} < b.high"
    else:
        where = f"{relation.at} >= $8 AND {relation.at} < $9"
    rows = ROWS.format(
        key_columns=", ".join(f"{key} AS k{place}" for place, key in enumerate(keys)),
        covered=covered,
        open=opened,
        id=first,
        was=was,
        rows=relation.rows,
        join=join,
        where=where,
    )
    order = ", ".join(f"k{place}" for place in range(len(keys)))
    whole = DIGEST.format(rows=rows, order=order)
    statement = BY_MINUTE.format(digest=whole) if relation.hourly else whole
    return f"WITH unused AS (SELECT $3::uuid[], $4::uuid[], $5::int2[], $6::int2[], $7::bytea[]) {statement}"
