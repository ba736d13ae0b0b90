"""A trigger's first row: it claims, announces, or ends; a copy learns what the ledger holds instead."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from ajo_worker.ledger.admission import Known, admit, look
from ajo_worker.ledger.attempts import Intent, Record, intend, record
from ajo_worker.ledger.ownership import Takeover, take_over
from uuid_utils.compat import uuid7

from tests.integration.worker.ledger.conftest import Connect, Read
from tests.integration.worker.ledger.rows import BUSY, HOUR, NOON, accepted, admission, after, attempt, refused
from tests.integration.worker.ledger.workers import until, waiting
from tests.support.ledger_rows import put_worker


async def test_a_new_row_announces_its_first_attempt_in_one_statement(
    connection: asyncpg.Connection, read: Read
) -> None:
    offered = admission(outbox_at=after(-2.5))
    await admit(connection, [admission()])  # the driver asks for types once
    statements: list[Any] = []
    with connection.query_logger(statements.append):
        assert await admit(connection, [offered]) == [None]
        await asyncio.sleep(0)  # the driver tells its loggers in the loop's next turn
    assert len(statements) == 1
    (row,) = await read("triggers", offered.request_id)
    assert row["state"] == "sending"
    assert row["first_dispatched_at"] == row["last_intent_at"] == NOON
    assert (row["owner"], row["fence"], row["round"], row["attempts_started"]) == (offered.owner, 1, 1, 1)
    assert row["completed_at"] is row["reason"] is row["execution_id"] is None
    assert row["recipient_hashes"] == [b"\x00\xff", b"\x01\x02"]
    moments = ("occurred_at", "outbox_at", "enqueued_at")
    for name in ("campaign", "lane", "batch_id", "producer", "trace_id", "recipients", *moments):
        assert row[name] == getattr(offered, name)
    assert await read("held_payloads", offered.request_id) == []


async def test_a_refused_trigger_gets_its_end_and_its_held_payload_with_its_first_row(
    connection: asyncpg.Connection, read: Read
) -> None:
    offered = refused(state="expired", reason="expires-at")
    assert await admit(connection, [offered]) == [None]
    (row,) = await read("triggers", offered.request_id)
    assert (row["state"], row["reason"], row["completed_at"]) == ("expired", "expires-at", NOON)
    assert row["first_dispatched_at"] is row["last_intent_at"] is None
    assert row["attempts_started"] == 0
    (held,) = await read("held_payloads", offered.request_id)
    assert (held["payload"], held["reason"], held["campaign"]) == (offered.payload, "expires-at", "order-shipped")
    assert held["resume_at"] is None
    assert (held["round"], held["key_id"]) == (1, None)


async def test_a_refused_copy_of_a_known_trigger_changes_nothing(connection: asyncpg.Connection, read: Read) -> None:
    first = admission()
    await admit(connection, [first])
    before = await read("triggers", first.request_id)
    (known,) = await admit(connection, [refused(request_id=first.request_id)])
    assert known is not None
    assert known.state == "sending"
    assert await read("triggers", first.request_id) == before
    assert await read("held_payloads", first.request_id) == []


@pytest.mark.parametrize(
    ("beat", "stopped", "alive"),
    [(HOUR, False, True), (-HOUR, False, False), (HOUR, True, False), (None, False, False)],
)
async def test_a_copy_sees_whether_the_owner_lives_by_its_heartbeat(
    connection: asyncpg.Connection, database_url: str, beat: timedelta | None, stopped: bool, alive: bool
) -> None:
    offered = admission()
    now = await connection.fetchval("select clock_timestamp()")
    if beat is not None:
        stopped_at = now if stopped else None
        put_worker(database_url, worker_id=offered.owner, heartbeat_at=now + beat, stopped_at=stopped_at)
    await admit(connection, [offered])
    (known,) = await admit(connection, [admission(request_id=offered.request_id)])
    assert known is not None
    assert (known.owner, known.owner_alive) == (offered.owner, alive)


@pytest.mark.parametrize(("owner", "alive"), [("silent", True), ("stopped", False), ("unknown", False)])
async def test_after_a_start_of_the_database_every_owner_has_its_time_out_to_beat_again(
    connection: asyncpg.Connection, database_url: str, owner: str, alive: bool
) -> None:
    """No owner could say that it lives while the database was away; one that stopped in good order has said so."""
    offered = admission()
    now, started = await connection.fetchrow("select clock_timestamp(), pg_postmaster_start_time()")
    stopped_at = started - 2 * HOUR if owner == "stopped" else None
    if owner != "unknown":
        put_worker(
            database_url,
            worker_id=offered.owner,
            heartbeat_at=started - 3 * HOUR,
            stopped_at=stopped_at,
            owner_timeout_seconds=(now - started + HOUR).total_seconds(),
        )
    await admit(connection, [offered])
    known = (await look(connection, [offered.request_id]))[offered.request_id]
    assert known.owner_alive is alive


async def test_a_copy_learns_everything_that_its_next_step_depends_on(connection: asyncpg.Connection) -> None:
    offered, taker = admission(), uuid7()
    request_id = offered.request_id
    await admit(connection, [offered])
    await record(connection, [Record(attempt(offered, **BUSY), None)])
    await intend(connection, [Intent(request_id, 1, 2, after(5), None)])
    await record(connection, [Record(attempt(offered, 2, outcome="retryable", ambiguous=True, http_status=504), None)])
    await intend(connection, [Intent(request_id, 1, 3, after(9), "ambiguous-answer")])
    assert (await look(connection, [request_id]))[request_id].last_attempt_recorded is False
    assert await take_over(connection, [Takeover(request_id, 1, taker, 3, interrupted=True)]) == [True]
    found = await look(connection, [request_id, uuid7()])
    assert {each: replace(known, looked_at=NOON) for each, known in found.items()} == {
        request_id: Known(
            state="sending",
            owner=taker,
            owner_alive=False,
            fence=2,
            round=1,
            attempts_started=3,
            first_dispatched_at=NOON,
            last_intent_at=after(9),
            not_before=after(2.21),  # the first answer's Retry-After
            last_attempt_recorded=True,
            ambiguous_attempts=2,
            ambiguous_before=0,
            interrupted_attempts=1,
            looked_at=NOON,
            before_step=False,
        )
    }


async def test_of_earlier_rounds_only_what_may_have_been_accepted_counts(connection: asyncpg.Connection) -> None:
    offered = admission()
    await admit(connection, [offered])
    await record(connection, [Record(attempt(offered, ambiguous=True, outcome="interrupted"), None)])
    await connection.execute(
        "update ledger.triggers set round = 2, attempts_started = 1, first_dispatched_at = null where request_id = $1",
        offered.request_id,
    )
    known = (await look(connection, [offered.request_id]))[offered.request_id]
    assert (known.ambiguous_attempts, known.interrupted_attempts, known.last_attempt_recorded) == (1, 1, False)
    assert known.ambiguous_before == 1, "and a retry of this round need not fear for it once more"
    assert known.first_dispatched_at is None


@pytest.mark.parametrize("offered", [admission(), refused()])
async def test_a_repetition_after_a_lost_acknowledgement_counts_as_the_first_time(
    connection: asyncpg.Connection, read: Read, offered: Any
) -> None:
    assert await admit(connection, [offered]) == [None]
    before = await read("triggers", offered.request_id)
    assert await admit(connection, [offered]) == [None]
    assert await read("triggers", offered.request_id) == before


async def test_what_happened_since_makes_a_repetition_a_copy(connection: asyncpg.Connection) -> None:
    """Its own row, but taken over, ended or announced again meanwhile: there is nothing to begin with."""
    taken, retaken, ended, announced = (admission() for _ in range(4))
    rows = [taken, retaken, ended, announced]
    await admit(connection, rows)
    await take_over(connection, [Takeover(taken.request_id, 1, uuid7(), 1, interrupted=True)])
    await take_over(connection, [Takeover(retaken.request_id, 1, retaken.owner, 1, interrupted=True)])
    await record(connection, [accepted(ended)])
    await intend(connection, [Intent(announced.request_id, 1, 2, after(1), None)])
    states = [known and known.state for known in await admit(connection, rows)]
    assert states == ["sending", "sending", "accepted", "sending"]


async def test_new_triggers_and_copies_in_one_group_each_get_their_own_answer(connection: asyncpg.Connection) -> None:
    old, other = admission(), uuid7()
    await admit(connection, [old])
    group = [admission(), admission(request_id=old.request_id, owner=other), refused(), old]
    answers = await admit(connection, group)
    assert [answer and answer.owner for answer in answers] == [None, old.owner, None, None]


async def test_of_two_workers_that_insert_the_same_ids_exactly_one_owns_each_and_none_waits_for_ever(
    connect: Connect, database_url: str
) -> None:
    """Both are held up by a third in the middle of their rows, which they bring in opposite orders."""
    ids = sorted((uuid7() for _ in range(200)), key=lambda request_id: request_id.int)
    third, one, other = await connect(), await connect(), await connect()
    me, you = uuid7(), uuid7()
    mine = [admission(request_id=request_id, owner=me) for request_id in ids]
    yours = [admission(request_id=request_id, owner=you) for request_id in reversed(ids)]
    transaction = third.transaction()
    await transaction.start()
    await admit(third, [admission(request_id=ids[100])])
    both = [asyncio.create_task(admit(one, mine)), asyncio.create_task(admit(other, yours))]
    await until(lambda: waiting(database_url) == 2, "both workers wait")
    await transaction.rollback()
    first, second = await asyncio.gather(*both)
    owners = {row["request_id"]: row["owner"] for row in await third.fetch("select * from ledger.triggers")}
    claimed = {
        me: {row.request_id for row, known in zip(mine, first, strict=True) if known is None},
        you: {row.request_id for row, known in zip(yours, second, strict=True) if known is None},
    }
    assert claimed[me] | claimed[you] == set(ids)
    assert not claimed[me] & claimed[you]
    assert owners == {UUID(str(request_id)): worker for worker, owned in claimed.items() for request_id in owned}


@pytest.mark.parametrize("moment", [datetime.min.replace(tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)], ids=str)
@pytest.mark.parametrize("column", ["occurred_at", "outbox_at", "enqueued_at", "expires_at"])
async def test_the_ledger_itself_refuses_an_instant_that_would_blind_its_readers(
    connection: asyncpg.Connection, read: Read, column: str, moment: datetime
) -> None:
    offered = admission(**{column: moment})
    with pytest.raises(asyncpg.CheckViolationError, match="triggers_moments"):
        await admit(connection, [offered])
    assert await read("triggers", offered.request_id) == []
