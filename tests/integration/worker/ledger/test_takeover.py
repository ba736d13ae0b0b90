"""A dead worker's trigger changes hands once, and only as the taker saw it."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest
from ajo_worker.ledger.admission import Admission, TakeOver, admit, look, on_copy
from ajo_worker.ledger.attempts import Intent, Record, intend, record
from ajo_worker.ledger.ownership import Release, Takeover, release, take_over
from uuid_utils.compat import uuid7

from tests.integration.worker.ledger.conftest import Connect, Read
from tests.integration.worker.ledger.rows import BUSY, NOON, accepted, admission, after, attempt, dead
from tests.integration.worker.ledger.workers import until, waiting
from tests.support.ledger_rows import put_worker


@pytest.fixture
async def trigger(connection: asyncpg.Connection) -> Admission:
    """A trigger whose first attempt is announced, of an owner that never beat."""
    offered = admission()
    await admit(connection, [offered])
    return offered


async def seen(connection: asyncpg.Connection, trigger: Admission) -> Takeover:
    """The takeover that follows from what a copy sees."""
    me = uuid7()
    known = (await look(connection, [trigger.request_id]))[trigger.request_id]
    step = on_copy(known, me)
    assert isinstance(step, TakeOver)
    return Takeover(trigger.request_id, known.fence, me, known.attempts_started, step.interrupted)


async def test_a_takeover_records_the_interrupted_attempt_as_perhaps_accepted(
    connection: asyncpg.Connection, trigger: Admission, read: Read
) -> None:
    takeover = await seen(connection, trigger)
    assert await take_over(connection, [takeover]) == [True]
    (row,) = await read("triggers", trigger.request_id)
    assert (row["owner"], row["fence"], row["redeliveries"], row["state"]) == (takeover.owner, 2, 1, "sending")
    (cut_off,) = await read("attempts", trigger.request_id)
    known = {name: value for name, value in cut_off.items() if value is not None}
    assert known == {
        "request_id": trigger.request_id,
        "round": 1,
        "attempt": 1,
        "worker": trigger.owner,
        "intended_at": NOON,
        "dispatched_at": NOON,
        "outcome": "interrupted",
        "ambiguous": True,
    }


async def test_a_takeover_between_two_attempts_interrupts_none(
    connection: asyncpg.Connection, trigger: Admission, read: Read
) -> None:
    await record(connection, [Record(attempt(trigger, **BUSY), None)])
    assert await take_over(connection, [await seen(connection, trigger)]) == [True]
    assert [row["outcome"] for row in await read("attempts", trigger.request_id)] == ["retryable"]


async def test_a_takeover_before_the_first_attempt_of_a_round_interrupts_none(
    connection: asyncpg.Connection, trigger: Admission, read: Read
) -> None:
    new_round = (
        "update ledger.triggers set round = 2, attempts_started = 0, last_intent_at = null where request_id = $1"
    )
    await connection.execute(new_round, trigger.request_id)
    assert await take_over(connection, [await seen(connection, trigger)]) == [True]
    assert await read("attempts", trigger.request_id) == []


async def test_a_repeated_takeover_is_refused(connection: asyncpg.Connection, trigger: Admission, read: Read) -> None:
    takeover = await seen(connection, trigger)
    await take_over(connection, [takeover])
    before = await read("triggers", trigger.request_id)
    assert await take_over(connection, [takeover]) == [False]
    assert await read("triggers", trigger.request_id) == before


@pytest.mark.parametrize("how", ["accepted", "unsent"])
async def test_nobody_takes_over_what_has_ended(
    connection: asyncpg.Connection, trigger: Admission, read: Read, how: str
) -> None:
    takeover = await seen(connection, trigger)
    await record(connection, [accepted(trigger) if how == "accepted" else Record(None, dead(trigger))])
    assert await take_over(connection, [takeover]) == [False]
    assert (await read("triggers", trigger.request_id))[0]["owner"] == trigger.owner


async def test_of_two_workers_that_take_over_at_the_same_moment_one_wins(
    connect: Connect, database_url: str, trigger: Admission, read: Read
) -> None:
    holder, one, other = await connect(), await connect(), await connect()
    takeovers = [await seen(one, trigger), await seen(other, trigger)]
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute("select from ledger.triggers where request_id = $1 for update", trigger.request_id)
    both = [
        asyncio.create_task(take_over(connection, [takeover]))
        for connection, takeover in zip((one, other), takeovers, strict=True)
    ]
    await until(lambda: waiting(database_url) == 2, "both workers wait")
    await transaction.rollback()
    won = [taken for (taken,) in await asyncio.gather(*both)]
    assert sorted(won) == [False, True]
    (row,) = await read("triggers", trigger.request_id)
    assert (row["fence"], row["redeliveries"], row["owner"]) == (2, 1, takeovers[won.index(True)].owner)
    assert len(await read("attempts", trigger.request_id)) == 1


async def test_a_takeover_is_refused_if_the_owner_announced_another_attempt_since(
    connection: asyncpg.Connection, trigger: Admission, read: Read
) -> None:
    """It was slow and not dead: the taker would send an attempt of the same number, unmarked."""
    await record(connection, [Record(attempt(trigger, **BUSY), None)])
    takeover = await seen(connection, trigger)
    await intend(connection, [Intent(trigger.request_id, 1, 2, after(2), None)])
    before = await read("triggers", trigger.request_id)
    assert await take_over(connection, [takeover]) == [False]
    assert await read("triggers", trigger.request_id) == before
    again = await seen(connection, trigger)
    assert again.interrupted
    assert await take_over(connection, [again]) == [True]


async def test_a_takeover_is_refused_if_the_answer_that_it_missed_has_come_since(
    connection: asyncpg.Connection, trigger: Admission
) -> None:
    """Else an attempt that is known to have failed would count as perhaps accepted."""
    takeover = await seen(connection, trigger)
    assert takeover.interrupted
    await record(connection, [Record(attempt(trigger, **BUSY), None)])
    assert await take_over(connection, [takeover]) == [False]
    again = await seen(connection, trigger)
    assert not again.interrupted
    assert await take_over(connection, [again]) == [True]


async def test_an_owner_that_beat_again_since_the_look_keeps_its_trigger(
    connection: asyncpg.Connection, trigger: Admission, database_url: str
) -> None:
    takeover = await seen(connection, trigger)
    put_worker(database_url, worker_id=trigger.owner)
    assert await take_over(connection, [takeover]) == [False]


async def test_a_trigger_that_was_given_up_is_taken_over_at_once_and_unmarked(
    connection: asyncpg.Connection, trigger: Admission, database_url: str, read: Read
) -> None:
    put_worker(database_url, worker_id=trigger.owner)
    await record(connection, [Record(attempt(trigger, **BUSY), None)])
    late = Intent(trigger.request_id, 1, 2, NOON, None)
    assert await intend(connection, [late]) == [True]
    await release(connection, [Release(trigger.request_id, 1, attempts=1)])
    assert await intend(connection, [late]) == [False], "what the stopping worker wrote before comes too late"
    takeover = await seen(connection, trigger)
    assert not takeover.interrupted
    assert await take_over(connection, [takeover]) == [True]
    assert [row["outcome"] for row in await read("attempts", trigger.request_id)] == ["retryable"]


async def test_a_late_announcement_never_takes_the_count_of_attempts_back(
    connection: asyncpg.Connection, trigger: Admission
) -> None:
    assert await intend(connection, [Intent(trigger.request_id, 1, 3, NOON, None)]) == [True]
    assert await intend(connection, [Intent(trigger.request_id, 1, 2, NOON, None)]) == [False]


async def test_a_copy_sees_until_when_retry_after_asked_to_wait(
    connection: asyncpg.Connection, trigger: Admission
) -> None:
    answered = attempt(trigger, **{**BUSY, "retry_after_seconds": 9.0})
    await record(connection, [Record(answered, None)])
    known = (await look(connection, [trigger.request_id]))[trigger.request_id]
    assert answered.responded_at is not None
    assert known.not_before == answered.responded_at + timedelta(seconds=9)
