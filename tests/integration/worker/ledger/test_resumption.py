"""Parked triggers go on in a new round, once, oldest first; what a dead worker resumed is found again."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from ajo_worker.ledger.admission import Admission, admit, look
from ajo_worker.ledger.attempts import Record, record
from ajo_worker.ledger.ownership import Takeover, take_over
from ajo_worker.outages.resumption import park_again, rescue, resume, resume_some
from uuid_utils.compat import uuid7

from tests.integration.worker.ledger.rows import NOON, accepted, after, attempt, dead, ending, refused

ME, OTHER = uuid7(), uuid7()
CAMPAIGNS = [("order-shipped", "")]


def parked(resume_at: datetime = NOON, **changes: Any) -> Admission:
    """A new trigger that is parked before its first attempt."""
    usual: dict[str, Any] = {"state": "parked", "reason": "outage", "completed_at": None, "resume_at": resume_at}
    return refused(**{**usual, **changes})


async def state(connection: asyncpg.Connection, request_id: UUID) -> Any:
    return await connection.fetchrow("select * from ledger.triggers where request_id = $1", request_id)


async def beat(connection: asyncpg.Connection, worker: UUID) -> None:
    await connection.execute(
        "insert into ledger.workers "
        "(worker_id, hostname, pid, version, started_at, heartbeat_at, owner_timeout_seconds, budget_seconds, "
        "lanes) values ($1, 'host', 1, '0', now(), now(), 3600, 60, '{}')",
        worker,
    )


async def test_a_parked_trigger_goes_on_in_its_next_round_and_is_no_longer_parked(
    connection: asyncpg.Connection,
) -> None:
    one = parked()
    await admit(connection, [one])
    (resumed,) = await resume(connection, CAMPAIGNS, 10, ME)
    assert (resumed.request_id, resumed.payload, resumed.lane) == (one.request_id, one.payload, "standard")
    row = await state(connection, one.request_id)
    assert (row["state"], row["round"], row["fence"], row["owner"]) == ("sending", 2, 2, ME)
    assert (row["attempts_started"], row["first_dispatched_at"], row["reason"]) == (0, None, None)
    assert row["round_opened_at"] is not None
    assert await resume(connection, CAMPAIGNS, 10, OTHER) == []


async def test_some_go_on_in_no_order_and_no_more_than_asked_for(connection: asyncpg.Connection) -> None:
    rows = [parked(after(seconds)) for seconds in range(40)] + [parked(after(86_400 * 365 * 50))]
    await admit(connection, rows)
    taken = [(await resume_some(connection, CAMPAIGNS, 5, ME)) for _ in range(8)]
    assert [len(some) for some in taken] == [5] * 8
    ids = [one.request_id for some in taken for one in some]
    assert set(ids) == {row.request_id for row in rows[:40]}
    assert ids != [row.request_id for row in rows[:40]]
    assert await resume_some(connection, CAMPAIGNS, 5, ME) == [], "the last one may not go on yet"


async def test_the_oldest_go_first_and_no_more_than_asked_for(connection: asyncpg.Connection) -> None:
    rows = [parked(after(seconds)) for seconds in (30, 10, 20)]
    await admit(connection, rows)
    first = await resume(connection, CAMPAIGNS, 2, ME)
    assert {one.request_id for one in first} == {rows[1].request_id, rows[2].request_id}


async def test_nothing_goes_on_before_its_time_nor_of_another_campaign(connection: asyncpg.Connection) -> None:
    later = parked(datetime.now(tz=NOON.tzinfo) + timedelta(hours=1))
    await admit(connection, [later, parked(campaign="flash-sale")])
    assert await resume(connection, CAMPAIGNS, 10, ME) == []


async def test_two_workers_never_resume_the_same_trigger(database_url: str, connection: asyncpg.Connection) -> None:
    await admit(connection, [parked() for _ in range(200)])
    others = [await asyncpg.connect(database_url) for _ in range(3)]
    try:
        taken = await asyncio.gather(*(resume(one, CAMPAIGNS, 100, uuid7()) for one in others))
    finally:
        for one in others:
            await one.close()
    ids = [one.request_id for some in taken for one in some]
    assert len(ids) == len(set(ids)) == 200


async def test_an_accepted_round_lets_the_payload_go_and_a_failed_one_keeps_it_as_a_dead_letter(
    connection: asyncpg.Connection,
) -> None:
    good, bad = parked(), parked()
    await admit(connection, [good, bad])
    await resume(connection, CAMPAIGNS, 10, ME)
    row = attempt(good, round=2)
    assert await record(connection, [Record(row, ending(good, fence=2)), Record(None, dead(bad, fence=2))]) == [
        True,
        True,
    ]
    (held,) = await connection.fetch("select * from ledger.held_payloads")
    assert (held["request_id"], held["resume_at"], held["resumed_by"], held["round"]) == (bad.request_id, None, None, 2)
    assert await resume(connection, CAMPAIGNS, 10, ME) == []


async def test_what_a_dead_worker_resumed_is_found_until_somebody_has_taken_it_over(
    connection: asyncpg.Connection,
) -> None:
    one = parked()
    await admit(connection, [one])
    await beat(connection, OTHER)
    await resume(connection, CAMPAIGNS, 10, OTHER)
    assert await rescue(connection, CAMPAIGNS, 10, ME) == []
    await connection.execute("update ledger.workers set heartbeat_at = now() - interval '2 hours', stopped_at = now()")
    (found,) = await rescue(connection, CAMPAIGNS, 10, ME)
    assert (found.request_id, found.payload) == (one.request_id, one.payload)
    await beat(connection, ME)
    assert await take_over(connection, [Takeover(one.request_id, 2, ME, 0, interrupted=False)]) == [True]
    assert await rescue(connection, CAMPAIGNS, 10, ME) == []


async def test_what_may_have_been_accepted_in_an_earlier_round_is_remembered_in_the_next(
    connection: asyncpg.Connection,
) -> None:
    one = refused(state="sending", reason=None, intended_at=NOON, completed_at=None, attempts_started=1, payload=None)
    await admit(connection, [one])
    first = attempt(one, outcome="retryable", http_status=504, ambiguous=True, retry_after_seconds=60.0)
    await record(connection, [Record(first, dead(one, "parked", completed_at=None, resume_at=NOON))])
    await resume(connection, CAMPAIGNS, 10, ME)
    known = (await look(connection, [one.request_id]))[one.request_id]
    assert (known.ambiguous_attempts, known.attempts_started, known.last_attempt_recorded) == (1, 0, False)
    assert known.not_before is None, "an earlier round's Retry-After is over"


async def test_a_late_acceptance_of_a_parked_trigger_keeps_it_from_being_sent_again(
    connection: asyncpg.Connection,
) -> None:
    one = parked()
    await admit(connection, [one])
    await connection.execute("update ledger.triggers set fence = 2")
    assert await record(connection, [accepted(one)]) == [True]
    assert await resume(connection, CAMPAIGNS, 10, ME) == []
    assert await connection.fetchval("select count(*) from ledger.held_payloads") == 0


async def test_a_payload_that_can_t_be_read_is_parked_again_for_a_while(connection: asyncpg.Connection) -> None:
    one = parked()
    await admit(connection, [one])
    await beat(connection, ME)
    await resume(connection, CAMPAIGNS, 10, ME)
    await park_again(connection, one.request_id, OTHER)
    assert (await state(connection, one.request_id))["state"] == "sending"
    await park_again(connection, one.request_id, ME)
    row = await state(connection, one.request_id)
    assert (row["state"], row["reason"], row["round"]) == ("parked", "payload-unreadable", 1)
    assert await resume(connection, CAMPAIGNS, 10, ME) == []
    await connection.execute("update ledger.held_payloads set resume_at = now()")
    assert len(await resume(connection, CAMPAIGNS, 10, OTHER)) == 1


async def test_each_campaign_has_its_share_of_what_goes_on(connection: asyncpg.Connection) -> None:
    await admit(connection, [parked() for _ in range(20)] + [parked(campaign="flash-sale") for _ in range(3)])
    taken = await resume(connection, [*CAMPAIGNS, ("flash-sale", "")], 10, ME)
    assert len(taken) == 8


async def test_what_this_worker_opened_without_learning_of_it_is_found_after_a_while(
    connection: asyncpg.Connection,
) -> None:
    one = parked()
    await admit(connection, [one])
    await beat(connection, ME)
    await resume(connection, CAMPAIGNS, 10, ME)
    assert await rescue(connection, CAMPAIGNS, 10, ME) == []
    await connection.execute("update ledger.triggers set round_opened_at = now() - interval '2 hours'")
    assert [row.request_id for row in await rescue(connection, CAMPAIGNS, 10, ME)] == [one.request_id]
    assert await rescue(connection, CAMPAIGNS, 10, OTHER) == []


async def test_a_payload_left_behind_by_a_late_acceptance_is_let_go(connection: asyncpg.Connection) -> None:
    one = parked()
    await admit(connection, [one])
    await connection.execute("update ledger.triggers set state = 'accepted'")
    assert await resume(connection, CAMPAIGNS, 10, ME) == []
    assert await connection.fetchval("select count(*) from ledger.held_payloads") == 0
