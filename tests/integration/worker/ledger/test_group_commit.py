"""Group commits on a real database: it goes away and comes back, and what waits is written once."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from ajo_worker.ledger import commits
from ajo_worker.ledger.admission import Admission, Known, admit
from ajo_worker.ledger.attempts import Record, record
from ajo_worker.ledger.group_commit import GroupCommit
from ajo_worker.ledger.ledger import PLANNER, WRITER
from ajo_worker.ledger.write_faults import RowRefused
from structlog.testing import capture_logs

from tests.integration.worker.ledger.conftest import Stoppable
from tests.integration.worker.ledger.rows import accepted, admission, refused
from tests.integration.worker.ledger.workers import until
from tests.support.database import query
from tests.support.waiting import DEADLINE_SECONDS

NAME = "a writer under test"
COMMITS = "select count(distinct xmin::text)::int as commits, count(*)::int as rows from ledger.{}"
TERMINATE = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1"


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that lost its database looks for it again soon."""
    monkeypatch.setattr(commits, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(commits, "LONGEST_PAUSE", 0.05)


async def admit_all(connection: asyncpg.Connection, rows: Sequence[Admission]) -> list[Known | None]:
    return await admit(connection, rows)


@asynccontextmanager
async def writer(url: str, write: Any, **settings: str) -> AsyncIterator[GroupCommit[Any, Any]]:
    """A running group commit on a database."""

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(
            url, timeout=DEADLINE_SECONDS, server_settings={**PLANNER, "application_name": NAME, **settings}
        )

    group: GroupCommit[Any, Any] = GroupCommit("rows", connect, write)
    group.start()
    try:
        yield group
    finally:
        await group.stop()


async def all_of(group: GroupCommit[Any, Any], rows: Sequence[Any]) -> list[Any]:
    """The answers and faults of rows that are offered together; fails if some never get one."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        return await asyncio.gather(*(group.submit(row) for row in rows), return_exceptions=True)


async def test_rows_of_many_triggers_share_their_commits(database_url: str) -> None:
    triggers = [admission() for _ in range(1_000)]
    async with writer(database_url, admit_all) as admissions, writer(database_url, record) as outcomes:
        await asyncio.gather(*(admissions.submit(trigger) for trigger in triggers))
        assert query(database_url, COMMITS.format("triggers")) == [{"commits": 2, "rows": 1_000}]
        await asyncio.gather(*(outcomes.submit(accepted(trigger)) for trigger in triggers))
        assert query(database_url, COMMITS.format("attempts")) == [{"commits": 2, "rows": 1_000}]
        assert query(database_url, COMMITS.format("triggers")) == [{"commits": 2, "rows": 1_000}]


async def test_rows_wait_while_the_database_is_stopped_and_are_then_written_once(stoppable: Stoppable) -> None:
    before, during = [admission() for _ in range(20)], [admission() for _ in range(200)]
    async with writer(stoppable.url, admit_all) as admissions, writer(stoppable.url, record) as outcomes:
        assert await asyncio.gather(*(admissions.submit(trigger) for trigger in before)) == [None] * 20
        await asyncio.to_thread(stoppable.stop)
        with capture_logs() as logs:
            waiting = [asyncio.create_task(admissions.submit(trigger)) for trigger in during]
            waiting += [asyncio.create_task(outcomes.submit(accepted(trigger))) for trigger in before]
            await until(
                lambda: {log["rows"] for log in logs if log["event"] == "ledger-write-waits"} == {20, 200},
                "both writers wait",
            )
        assert not any(task.done() for task in waiting)
        await asyncio.to_thread(stoppable.start)
        assert await asyncio.gather(*waiting) == [None] * 200 + [True] * 20
    states = "select state, count(*)::int as n from ledger.triggers group by 1 order by 1"
    assert query(stoppable.url, states) == [{"state": "accepted", "n": 20}, {"state": "sending", "n": 200}]
    assert query(stoppable.url, "select count(*)::int as n from ledger.attempts") == [{"n": 20}]


async def test_rows_are_written_once_however_often_their_connections_are_cut(database_url: str) -> None:
    """Whatever was lost with a connection, the statement or only the answer to its commit, is repeated."""
    triggers = [admission() for _ in range(500)]
    cuts = 0

    async def cut(under_way: "asyncio.Future[Any]") -> int:
        done = 0
        while not under_way.done() and done < 6:
            done += len(await asyncio.to_thread(query, database_url, TERMINATE, NAME))
        return done

    async with writer(database_url, admit_all) as admissions, writer(database_url, record) as outcomes:

        async def both(trigger: Admission) -> tuple[Known | None, bool]:
            known = await admissions.submit(trigger)
            return known, await outcomes.submit(accepted(trigger))

        for wave in range(0, 500, 50):
            under_way = asyncio.gather(*(both(trigger) for trigger in triggers[wave : wave + 50]))
            cuts += await cut(under_way)
            assert [known for known, _ in await under_way] == [None] * 50
    assert cuts > 10
    ends = "select state, count(*)::int as n from ledger.triggers group by 1"
    assert query(database_url, ends) == [{"state": "accepted", "n": 500}]
    assert query(database_url, "select count(*)::int as n from ledger.attempts") == [{"n": 500}]


async def test_a_commit_whose_acknowledgement_was_lost_still_gives_its_rows_to_their_owner(database_url: str) -> None:
    lost: list[int] = []

    async def write(connection: asyncpg.Connection, rows: Sequence[Admission]) -> list[Known | None]:
        known = await admit(connection, rows)
        if not lost:
            lost.append(len(rows))
            raise ConnectionResetError
        return known

    async with writer(database_url, write) as group:
        assert await asyncio.gather(*(group.submit(trigger) for trigger in (admission(), refused()))) == [None, None]
    assert lost == [2]
    assert query(database_url, "select count(*)::int as n from ledger.triggers") == [{"n": 2}]


@pytest.mark.parametrize(
    "unstorable",
    [
        {"producer": "a shop\x00"},
        {"campaign": "half a \ud83d character"},
        {"recipients": 40_000},
        {"state": "invented"},
        {"enqueued_at": None},
        {"recipient_hashes": "no array"},
        {"lane": 7},
    ],
)
async def test_a_row_that_no_column_can_hold_is_refused_alone(database_url: str, unstorable: dict[str, Any]) -> None:
    good, bad = [admission() for _ in range(8)], admission(**unstorable)
    offered = [*good[:4], bad, *good[4:]]
    async with writer(database_url, admit_all) as group:
        answers = await all_of(group, offered)
        assert isinstance(answers.pop(4), RowRefused)
        assert answers == [None] * 8
        assert await group.submit(admission()) is None
    stored = {str(row["request_id"]) for row in query(database_url, "select request_id from ledger.triggers")}
    assert {str(row.request_id) for row in good} < stored
    assert str(bad.request_id) not in stored


async def test_an_attempt_that_no_column_can_hold_is_refused_alone_with_its_end(database_url: str) -> None:
    triggers = [admission() for _ in range(3)]
    outcomes = [accepted(trigger) for trigger in triggers]
    worst = outcomes[1].attempt
    assert worst is not None
    bad = Record(worst._replace(error_title="\x00"), None)
    async with writer(database_url, admit_all) as admissions, writer(database_url, record) as group:
        await asyncio.gather(*(admissions.submit(trigger) for trigger in triggers))
        rows = [outcomes[0], Record(bad.attempt, outcomes[1].ending), outcomes[2]]
        answers = await all_of(group, rows)
    assert isinstance(answers[1], RowRefused)
    assert [answers[0], answers[2]] == [True, True]
    states = query(database_url, "select state from ledger.triggers order by request_id")
    assert [row["state"] for row in states] == ["accepted", "sending", "accepted"]


async def test_what_nobody_foresaw_is_tried_again_on_a_new_connection(database_url: str) -> None:
    """A writer that ended in silence would hold up every trigger of its worker for ever."""
    faults: list[Exception] = [LookupError("never seen before"), asyncpg.InternalClientError("another operation")]
    connections: list[asyncpg.Connection] = []

    async def write(connection: asyncpg.Connection, rows: Sequence[Admission]) -> list[Known | None]:
        connections.append(connection)
        if faults:
            raise faults.pop()
        return await admit(connection, rows)

    async with writer(database_url, write) as group:
        assert await asyncio.wait_for(group.submit(admission()), DEADLINE_SECONDS) is None
        assert len(set(map(id, connections))) == 3
        await asyncio.wait_for(group.drain(), DEADLINE_SECONDS)


async def test_a_row_with_which_nobody_can_do_anything_fails_alone_with_the_fault_itself(database_url: str) -> None:
    """It isn't for the row to be refused (and put into quarantine) for a fault of our own."""
    good, bad = [admission() for _ in range(4)], admission()

    async def write(connection: asyncpg.Connection, rows: Sequence[Admission]) -> list[Known | None]:
        if bad in rows:
            raise LookupError("never seen before")
        return await admit(connection, rows)

    async with writer(database_url, write) as group:
        rows = [*good[:2], bad, *good[2:]]
        answers = await all_of(group, rows)
    assert isinstance(answers.pop(2), LookupError)
    assert answers == [None] * 4


async def test_repetitions_behind_a_lock_leave_no_session_behind(database_url: str) -> None:
    """A backend that waits for a lock doesn't notice that its client has gone."""
    assert float(WRITER["lock_timeout"].removesuffix("s")) < commits.PATIENCE
    holder = await asyncpg.connect(database_url)
    await holder.execute("begin; lock table ledger.triggers in access exclusive mode")
    async with writer(database_url, admit_all, **{**WRITER, "lock_timeout": "100ms"}) as admissions:
        with capture_logs() as logs:
            waiting = asyncio.create_task(admissions.submit(admission()))
            await until(
                lambda: sum(log["event"] in {"ledger-rows-locked", "ledger-rows-still-locked"} for log in logs) > 4,
                "it was tried again",
            )
        assert len(query(database_url, "select 1 from pg_stat_activity where application_name = $1", NAME)) <= 2
        await holder.close()
        assert await waiting is None
    assert query(database_url, "select count(*)::int as n from ledger.triggers") == [{"n": 1}]


async def test_a_database_that_takes_no_more_connections_is_waited_for(stoppable: Stoppable) -> None:
    role = f"guest_{secrets.token_hex(6)}"
    with_limit = f"alter role {role} connection limit {{}}"
    query(stoppable.url, f"create role {role} login password 'guest'")
    query(stoppable.url, f"grant all on all tables in schema ledger to {role}")
    query(stoppable.url, f"grant usage on schema ledger to {role}")
    query(stoppable.url, with_limit.format(0))
    url = stoppable.url.replace(f"ajo:{stoppable.server.password}", f"{role}:guest")
    async with writer(url, admit_all) as group:
        waiting = asyncio.create_task(group.submit(admission()))
        await until(lambda: f'too many connections for role "{role}"' in stoppable.said(), "a refused connection")
        assert not waiting.done()
        await asyncio.to_thread(query, stoppable.url, with_limit.format(-1))
        assert await waiting is None


WAITING = "select pid from pg_stat_activity where wait_event = 'SyncRep' and application_name = $1"


async def test_a_repeated_commit_waits_for_the_synchronous_standby_that_the_first_one_was_cut_off_from(
    stoppable: Stoppable,
) -> None:
    """There is none at first. What is committed here alone would be gone after a fail-over, though it was relied on."""

    def standbys(names: str) -> None:
        query(stoppable.url, f"alter system set synchronous_standby_names = '{names}'")
        query(stoppable.url, "select pg_reload_conf()")

    def waits() -> list[int]:
        return [row["pid"] for row in query(stoppable.url, WAITING, NAME)]

    trigger = admission()
    await asyncio.to_thread(standbys, "none")
    try:
        async with writer(stoppable.url, admit_all, synchronous_commit="on") as admissions:
            under_way = asyncio.create_task(admissions.submit(trigger))
            await until(lambda: bool(waits()), "the commit waits")
            [first] = waits()
            assert query(stoppable.url, "select pg_terminate_backend($1)", first)
            await until(lambda: under_way.done() or bool(set(waits()) - {first}), "the repetition waits, too")
            assert not under_way.done()
            await asyncio.to_thread(standbys, "")
            assert await under_way is None
    finally:
        await asyncio.to_thread(standbys, "")


async def test_a_row_that_somebody_keeps_locked_keeps_no_others_waiting(database_url: str) -> None:
    """Be it a session that is frozen in the middle of a commit, or a transaction that an operator forgot."""
    rows = [admission() for _ in range(20)]
    async with writer(database_url, admit_all) as admissions:
        assert await all_of(admissions, rows) == [None] * 20
    holder = await asyncpg.connect(database_url)
    await holder.execute("begin")
    await holder.execute("select from ledger.triggers where request_id = $1 for update", rows[7].request_id)
    async with writer(database_url, record, **{**WRITER, "lock_timeout": "100ms"}) as records:
        written = [asyncio.create_task(records.submit(accepted(row))) for row in rows]
        await until(lambda: sum(task.done() for task in written) == 19, "all others are written")
        late = admission()
        async with writer(database_url, admit_all) as admissions:
            await admissions.submit(late)
        assert await records.submit(accepted(late)) is True
        assert not written[7].done()
        await holder.close()
        assert await asyncio.wait_for(asyncio.gather(*written), DEADLINE_SECONDS) == [True] * 20
        await records.drain()
