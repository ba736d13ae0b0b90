"""The outbox's table: its name, its statements, and which shard a trigger is in."""

import re

import pytest
from ajo_producers.contract.trigger import Recipient, Trigger
from ajo_producers.outbox import create_statements, drop_statements
from ajo_producers.outbox.adding import insert
from ajo_producers.outbox.sessions import ASYNCPG, PSYCOPG, SQLALCHEMY, Kind
from ajo_producers.outbox.table import SHARDS, WAYS, WIDE, shard_of
from ajo_producers.publishing.errors import SettingError
from ajo_producers.publishing.request_id import random_request_id
from hypothesis import given
from hypothesis import strategies as st


def trigger(*people: str) -> Trigger:
    recipients = tuple(Recipient(user_id=person) for person in people)
    return Trigger(request_id=random_request_id(), campaign="order-shipped", recipients=recipients)


@pytest.mark.parametrize("name", ["Outbox", "a b", "a;drop table orders", 'a"b', "a.b.c", "", "1a", "ä", "a" * 49])
def test_a_name_that_would_have_to_be_quoted_is_refused(name: str) -> None:
    for statements in (create_statements, drop_statements):
        with pytest.raises(SettingError, match="must be like ajo_outbox or shop"):
            statements(name)


def test_statements_can_be_executed_by_whatever_reads_placeholders() -> None:
    """A % or a :name would be a parameter to psycopg, Django or SQLAlchemy."""
    made = "\n".join(create_statements("shop.ajo_outbox"))
    assert "%" not in made
    assert re.search(r"(?<!:):\w", made) is None
    assert "CREATE INDEX ajo_outbox_waiting ON shop.ajo_outbox" in made
    assert "CREATE FUNCTION shop.ajo_outbox_wake()" in made


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=5, unique=True))
def test_triggers_of_one_recipient_are_in_one_shard_and_those_of_several_in_theirs_or_wide(people: list[str]) -> None:
    shards = {shard_of(trigger(person)) for person in people}
    assert shards <= set(range(SHARDS))
    assert shard_of(trigger(*people)) == (shards.pop() if len(shards) == 1 else WIDE)


def test_a_recipient_has_one_shard_in_whatever_case_its_domain_is_written() -> None:
    assert shard_of(trigger("ada@Example.COM")) == shard_of(trigger("ada@example.com", "ada@example.com"))


def test_urgent_triggers_come_first() -> None:
    assert [priority for _, priority in WAYS] == ["urgent", "urgent", "normal", "normal"]


@pytest.mark.parametrize(
    ("kind", "first", "last"),
    [(SQLALCHEMY, ":v1", ":v14"), (ASYNCPG, "$1", "$14"), (PSYCOPG, "%s", "%s")],
    ids=["sqlalchemy", "asyncpg", "psycopg"],
)
def test_each_library_gets_its_own_placeholders(kind: Kind, first: str, last: str) -> None:
    made = insert("ajo_outbox", kind, 2)
    assert f"VALUES (CAST({first} AS uuid), " in made
    assert made.endswith(f"CAST({last} AS bytea))")
