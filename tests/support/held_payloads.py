"""Held payloads, written by SQL: what each test says of them is their key and their bytes alone."""

from collections.abc import Sequence
from uuid import UUID

from uuid_utils.compat import uuid7

from tests.support.database import query

REQUIRED = """
    select column_name, data_type from information_schema.columns
    where table_schema = 'ledger' and table_name = 'held_payloads' and is_nullable = 'NO' and column_default is null
      and column_name not in ('request_id', 'payload')
"""
ANY = {
    "boolean": "false",
    "integer": "1",
    "jsonb": "'{}'",
    "smallint": "1",
    "text": "'budget-spent'",
    "timestamp with time zone": "now()",
    "uuid": "gen_random_uuid()",
}
"""A value for each type of a column that must have one."""

Held = tuple[str | None, bytes]
"""Key id and bytes."""


def put_held(url: str, held: Sequence[Held]) -> list[UUID]:
    """Rows with these keys and payloads, whatever else a row must have; returns their ids, in the order of the rows."""
    others = {row["column_name"]: ANY[row["data_type"]] for row in query(url, REQUIRED)}
    ids = [uuid7() for _ in held]
    query(
        url,
        f"""insert into ledger.held_payloads (request_id, key_id, payload, {", ".join(others)})
            select request_id, key_id, payload, {", ".join(others.values())}
            from unnest($1::uuid[], $2::text[], $3::bytea[]) as h(request_id, key_id, payload)""",
        ids,
        [key_id for key_id, _ in held],
        [payload for _, payload in held],
    )
    return ids


def read_held(url: str) -> dict[UUID, Held]:
    """Key and bytes of every row."""
    rows = query(url, "select request_id, key_id, payload from ledger.held_payloads")
    return {row["request_id"]: (row["key_id"], row["payload"]) for row in rows}
