"""The schema explains itself: whoever reads it in psql finds a sentence on everything."""

import re
from typing import get_args

from ajo_worker.api.verdict import Outcome

from tests.support.database import query

SCHEMAS = "nspname in ('ledger', 'audit')"
WITHOUT = {
    "schemas": f"""
        select nspname as name from pg_namespace n where {SCHEMAS} and obj_description(n.oid, 'pg_namespace') is null
    """,
    # A partition made by the day is its parent's image; the default ones have a comment of their own.
    "tables and views": f"""
        select relname as name from pg_class c join pg_namespace n on n.oid = relnamespace
        where {SCHEMAS} and relkind in ('r', 'p', 'v', 'm') and (not relispartition or relname ~ '_default$')
          and obj_description(c.oid, 'pg_class') is null
    """,
    "columns": f"""
        select relname || '.' || attname as name from pg_attribute a join pg_class c on c.oid = attrelid
        join pg_namespace n on n.oid = relnamespace
        where {SCHEMAS} and relkind in ('r', 'p', 'v', 'm') and not relispartition and attnum > 0 and not attisdropped
          and col_description(c.oid, attnum) is null
    """,
    "functions": f"""
        select proname as name from pg_proc p join pg_namespace n on n.oid = pronamespace
        where {SCHEMAS} and obj_description(p.oid, 'pg_proc') is null
    """,
}


def test_everything_in_ledger_and_audit_has_a_comment(database_url: str) -> None:
    assert {kind: query(database_url, sql) for kind, sql in WITHOUT.items()} == {kind: [] for kind in WITHOUT}


def test_the_outcomes_that_the_schema_allows_and_explains_are_those_that_a_worker_writes(database_url: str) -> None:
    written = {*get_args(Outcome), "interrupted"}
    constraint = "select pg_get_constraintdef(oid) as it from pg_constraint where conname = 'attempts_outcome' limit 1"
    assert set(re.findall(r"'(\w+)'", query(database_url, constraint)[0]["it"])) == written
    explained = """
        select col_description(attrelid, attnum) as it from pg_attribute
        where attname = 'outcome' and attrelid in ('ledger.attempts'::regclass, 'audit.attempts'::regclass)
    """
    comments = [row["it"] for row in query(database_url, explained)]
    assert len(comments) == 2
    for comment in comments:
        assert set(re.findall(r"\w+", comment.partition("(")[0])) - {"or"} == written
