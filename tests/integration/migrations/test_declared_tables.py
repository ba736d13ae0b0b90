"""Columns stand once for people and once for PostgreSQL: what Python declares of the ledger is what migrations make."""

import asyncio
import re
from typing import Any, get_args, get_type_hints

import pytest
from ajo_worker.feedback.storing import FeedbackRow
from ajo_worker.ledger.admission import Admission
from ajo_worker.ledger.attempts import AttemptRow, Ending
from ajo_worker.ledger.tables import evidence, feedback, outages, reports, triggers, workers
from ajo_worker.ledger.tables.columns import METADATA, TYPES
from ajo_worker.ledger.tables.triggers import ATTEMPTS, TRIGGERS
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Integer, SmallInteger, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import create_async_engine

from tests.support.database import query

TYPE_COLUMNS = """
    select attname, format_type(atttypid, atttypmod) as type from pg_attribute
    where attrelid = (select typrelid from pg_type where oid = $1::text::regtype) order by attnum
"""


DECLARED = (evidence, feedback, outages, reports, triggers, workers)
"""All modules of declarations: what is imported is in METADATA."""
PARTITION = re.compile(r"\w+_(?:default|\d{8})")


def compares(name: str | None, kind: str, _: Any) -> bool:
    """Whether a schema or table is compared: partitions and Alembic's own table are not."""
    if kind == "schema":
        return name == "ledger"
    return kind != "table" or not (name == "alembic_version" or PARTITION.fullmatch(name or ""))


def differences(connection: Connection) -> list[Any]:
    options = {"include_schemas": True, "include_name": compares, "compare_server_default": True}
    found = compare_metadata(MigrationContext.configure(connection, opts=options), METADATA)
    flat = [each for one in found for each in (one if isinstance(one, list) else [one])]
    return [one for one in flat if "comment" not in one[0]]  # comments are the SQL files' alone


def compared(url: str) -> list[Any]:
    async def compare() -> list[Any]:
        engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:"))
        async with engine.connect() as connection:
            found = await connection.run_sync(differences)
        await engine.dispose()
        return found

    return asyncio.run(compare())


def test_the_declared_tables_are_those_that_migrations_make(database_url: str) -> None:
    assert compared(database_url) == []


@pytest.mark.parametrize(
    ("change", "noticed"),
    [
        (
            "alter table ledger.triggers add column forgotten text, alter column trace_id set not null",
            ["modify_nullable", "remove_column"],
        ),
        ("alter table ledger.held_payloads alter column payload type text using ''", ["modify_type"]),
        ("create table ledger.forgotten (id int)", ["remove_table"]),
        ("drop index ledger.outages_opened", ["add_index"]),
    ],
)
def test_what_only_one_of_them_has_is_noticed(database_url: str, change: str, noticed: list[str]) -> None:
    query(database_url, change)
    assert sorted(one[0] for one in compared(database_url)) == noticed


@pytest.mark.parametrize(
    ("row_type", "composite"),
    [
        (Admission, "ledger.admission_row"),
        (AttemptRow, "ledger.attempt_row"),
        (Ending, "ledger.ending_row"),
    ],
)
def test_a_row_type_has_the_fields_of_its_type_in_postgresql_in_the_same_order(
    database_url: str, row_type: type, composite: str
) -> None:
    found = {row["attname"]: row["type"] for row in query(database_url, TYPE_COLUMNS, composite)}
    fields = get_type_hints(row_type)
    assert list(found) == list(fields)
    dialect = postgresql.dialect()
    for name, hint in fields.items():
        [kind] = {each if isinstance(each, type) else str for each in get_args(hint) or (hint,)} - {type(None)}
        types = [TYPES[kind]] if kind is not int else [SmallInteger(), Integer()]
        written = [each.compile(dialect=dialect).lower() for each in types]
        assert found[name] in written, f"{name} is {found[name]} there and {written} here"


@pytest.mark.parametrize(
    ("row_type", "table", "elsewhere"),
    [
        (AttemptRow, ATTEMPTS, set()),
        (Admission, TRIGGERS, {"intended_at", "resume_at", "key_id", "payload", "call_digest"}),
        (Ending, TRIGGERS, {"resume_at", "key_id", "payload", "call_digest"}),
        (FeedbackRow, feedback.FEEDBACK, {"own_request_id", "others"}),
    ],
)
def test_every_field_of_a_row_is_a_column_of_its_table(row_type: type, table: Table, elsewhere: set[str]) -> None:
    assert set(get_type_hints(row_type)) - set(table.columns.keys()) == elsewhere
