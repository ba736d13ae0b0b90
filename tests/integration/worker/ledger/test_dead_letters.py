"""Filters of dead letters, against PostgreSQL: each part takes what it says, and nothing that is no dead letter."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from ajo_worker.deadletters.choosing import Filter, dead_letters, held_letters, no_dead_letters
from uuid_utils.compat import uuid7

from tests.support.database import query
from tests.support.dead_letters import payload_of, put_letter
from tests.support.ledger_rows import after, ago, put_attempt, put_trigger

LETTERS: dict[str, dict[str, Any]] = {
    "rejected": {"ended_at": ago(hours=1)},
    "sale": {"campaign": "flash-sale", "status": 422, "ended_at": ago(hours=2)},
    "expired": {"state": "expired", "reason": "budget-spent", "status": 503, "ended_at": ago(hours=3)},
    "unsent": {"state": "expired", "reason": "expires-at", "status": None, "ended_at": ago(hours=4)},
    "unconfirmed": {"state": "unconfirmed", "reason": "conflict", "status": 409, "ended_at": ago(hours=5)},
}


@pytest.fixture
def letters(database_url: str) -> dict[str, UUID]:
    """Dead letters by name, the newest first, beside triggers that are none."""
    found = {name: put_letter(database_url, **columns) for name, columns in LETTERS.items()}
    for state in ("accepted", "parked", "sending"):
        put_letter(database_url, state=state)
    discarded = put_letter(database_url)
    query(database_url, "delete from ledger.held_payloads where request_id = $1", discarded)
    return found


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        (Filter(), list(LETTERS)),
        (Filter(campaigns=("flash-sale",)), ["sale"]),
        (Filter(campaigns=("flash-sale", "order-shipped")), list(LETTERS)),
        (Filter(campaigns=("no-such",)), []),
        (Filter(states=("expired",)), ["expired", "unsent"]),
        (Filter(states=("expired", "unconfirmed")), ["expired", "unsent", "unconfirmed"]),
        (Filter(reasons=("bad-request",)), ["rejected", "sale"]),
        (Filter(statuses=(400,)), ["rejected"]),
        (Filter(statuses=(503, 409)), ["expired", "unconfirmed"]),
        (Filter(since=timedelta(hours=2, minutes=30)), ["rejected", "sale"]),
        (Filter(until=timedelta(hours=3, minutes=30)), ["unsent", "unconfirmed"]),
        (Filter(since=timedelta(hours=4, minutes=30), until=timedelta(hours=2, minutes=30)), ["expired", "unsent"]),
        (Filter(states=("expired",), reasons=("expires-at",), campaigns=("order-shipped",)), ["unsent"]),
        (Filter(states=("expired",), statuses=(400,)), []),
    ],
)
async def test_a_filter_takes_what_fits_all_its_parts(
    connection: asyncpg.Connection, letters: dict[str, UUID], chosen: Filter, names: list[str]
) -> None:
    found = await dead_letters(connection, chosen, 100)
    assert [letter.request_id for letter in found.newest] == [letters[name] for name in names]
    assert found.letters == len(names) == sum(group.letters for group in found.groups)


async def test_ids_are_a_filter_and_those_of_no_dead_letters_are_told_apart(
    connection: asyncpg.Connection, database_url: str, letters: dict[str, UUID]
) -> None:
    accepted, parked = put_trigger(database_url, ago(), state="accepted"), put_letter(database_url, state="parked")
    discarded, unknown = put_trigger(database_url, ago(), state="expired"), uuid7()
    chosen = Filter(request_ids=(letters["sale"], accepted, parked, discarded, unknown))
    assert [letter.request_id for letter in (await dead_letters(connection, chosen, 9)).newest] == [letters["sale"]]
    assert await no_dead_letters(connection, chosen) == {
        accepted: "it is accepted",
        parked: "it is parked",
        discarded: "it is expired, and its payload was discarded",
        unknown: "the ledger has no such trigger",
    }


async def test_the_status_is_that_of_the_last_attempt_of_all_rounds(
    connection: asyncpg.Connection, database_url: str
) -> None:
    request_id = put_letter(database_url, round=2)
    put_attempt(database_url, request_id, 2, ago(), http_status=500, outcome="retryable")
    put_attempt(database_url, request_id, 1, ago(), round=2, http_status=403, outcome="refused")
    for status, fits in ((400, False), (500, False), (403, True)):
        assert bool((await dead_letters(connection, Filter(statuses=(status,)), 9)).letters) is fits
    (letter,) = (await dead_letters(connection, Filter(), 9)).newest
    assert (letter.last_status, letter.attempts, letter.round) == (403, 3, 2)


async def test_kinds_are_counted_and_only_so_many_of_the_newest_are_listed(
    connection: asyncpg.Connection, database_url: str
) -> None:
    begin = ago(hours=9)
    ids = [put_letter(database_url, ended_at=after(begin, number)) for number in range(5)]
    sale = put_letter(database_url, ended_at=after(begin, -1), campaign="flash-sale")
    found = await dead_letters(connection, Filter(), 2)
    assert [letter.request_id for letter in found.newest] == [ids[4], ids[3]]
    assert [(group.campaign, group.letters, group.oldest, group.newest) for group in found.groups] == [
        ("order-shipped", 5, begin, after(begin, 4)),
        ("flash-sale", 1, after(begin, -1), after(begin, -1)),
    ]
    assert sale not in {letter.request_id for letter in found.newest}


async def test_payloads_come_with_what_they_belong_to_and_only_those_that_were_there_then(
    connection: asyncpg.Connection, database_url: str
) -> None:
    request_id = put_letter(database_url)
    at: datetime = await connection.fetchval("select clock_timestamp()")
    put_letter(database_url)
    async with connection.transaction():
        (letter,) = [letter async for letter in held_letters(connection, Filter(), at)]
    assert (letter.request_id, letter.attempts, letter.payload) == (request_id, 1, payload_of(request_id))
    assert "ada@" not in repr(letter)
