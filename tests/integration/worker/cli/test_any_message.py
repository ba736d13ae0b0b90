"""Whatever instants, numbers and texts a message has that the contract lets pass, everything can be read afterwards."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice, product
from typing import Any

import pytest

from tests.support.database import query
from tests.support.ledger_rows import after, ago, put_attempt, put_trigger, put_worker
from tests.support.programs import Finished

COUNT = 60
FIRST, LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2099, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
"""The ledger's own bounds of what a producer's clock may say."""
NAMES = [
    "shop",
    "x" * 200,
    "a\u202eb",
    "<script>&\"'",
    "%s {0} \\",
    "\U0001f4e6 \u0000".replace("\u0000", ""),
    "=1+1",
    "-",
]
COMMANDS = [
    ("status",),
    ("status", "--json"),
    ("alerts",),
    ("alerts", "--json"),
    ("top", "--once"),
    ("delays",),
    ("delays", "--json"),
    ("report", "--json"),
    ("dead", "list"),
    ("outage", "list"),
    ("quarantine",),
]
VIEWS = "select relname as name from pg_class where relnamespace = 'audit'::regnamespace and relkind = 'v'"


def instants(draw: random.Random, received: datetime) -> dict[str, Any]:
    """What a message says of itself: the ends of what may be, what is usual, and nothing."""
    usual = after(received, -draw.random())
    return {
        "occurred_at": draw.choice([None, FIRST, LAST, usual]),
        "outbox_at": draw.choice([None, FIRST, LAST, usual]),
        "enqueued_at": draw.choice([FIRST, LAST, usual]),
        "expires_at": draw.choice([None, FIRST, LAST, after(usual, 60)]),
        "recipients": draw.choice([1, 20]),
        "producer": draw.choice(NAMES),
        "campaign": draw.choice(NAMES),
        "trace_id": draw.choice([None, "0" * 32, "f" * 32]),
    }


@pytest.fixture
def filled(database_url: str) -> str:
    """A ledger of such triggers, in every state."""
    draw, minute = random.Random(20_000), ago(minutes=3).replace(second=0, microsecond=0)
    put_worker(database_url)
    states = ("accepted", "rejected", "expired", "unconfirmed", "parked", "sending")
    for state, number in islice(product(states, range(10)), COUNT):
        received = minute + timedelta(seconds=number)
        done = None if state in {"sending", "parked"} else after(received, 1)
        fields = instants(draw, received) | {"received_at": received, "state": state, "completed_at": done}
        first = after(received, 0.1) if number % 2 else None
        request_id = put_trigger(database_url, **fields, first_dispatched_at=first, last_intent_at=first)
        if first:
            put_attempt(
                database_url, request_id, 1, first, error_title=draw.choice(NAMES), error_code=draw.choice(NAMES)
            )
    query(database_url, "select ledger.roll_up($1)", minute)
    return database_url


def test_every_command_that_reads_and_every_view_tells_of_them(filled: str, run_cli: Callable[..., Finished]) -> None:
    for command in COMMANDS:
        done = run_cli(*command, env={"AJO_DATABASE_URL": filled, "AJO_BROKER_URL": "amqp://127.0.0.1:1//"})
        assert done.code in {0, 1}, (command, done.err)
        assert "unexpected" not in done.err, command
        assert done.out or "there are no dead letters" in done.err, command
    for view in query(filled, VIEWS):
        query(filled, f"select * from audit.{view['name']}")
    assert query(filled, "select count(*) from audit.triggers")[0]["count"] == COUNT
