"""Group commit: rows gather while a commit is under way, faults are repeated, and a bad row stands alone."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from ajo_worker.ledger import commits, group_commit
from ajo_worker.ledger.group_commit import GroupCommit
from ajo_worker.ledger.write_faults import RowRefused, WriterStopped


class Connection:
    """As much of a connection as the writer uses."""

    async def execute(self, _: str) -> None:
        pass

    def is_closed(self) -> bool:
        return False

    def terminate(self) -> None:
        pass


class Database:
    """Writes numbers, doubling them; can be closed, broken, or held up, and ``unreachable`` by some faults first."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.unreachable: list[Exception] = []
        self.open = asyncio.Event()
        self.open.set()
        self.faults: list[Exception] = []
        self.locked: set[int] = set()

    async def connect(self) -> Any:
        if self.unreachable:
            raise self.unreachable.pop(0)
        return Connection()

    async def write(self, _: Any, rows: Sequence[int]) -> list[int]:
        await self.open.wait()
        if self.faults:
            raise self.faults.pop(0)
        if -1 in rows:
            raise asyncpg.DataError("bad row")
        if self.locked & set(rows):
            raise asyncpg.LockNotAvailableError("canceling statement due to lock timeout")
        self.groups.append(list(rows))
        return [2 * row for row in rows]


@asynccontextmanager
async def writer(database: Database) -> AsyncIterator[GroupCommit[int, int]]:
    group: GroupCommit[int, int] = GroupCommit("numbers", database.connect, database.write)
    group.start()
    try:
        yield group
    finally:
        await group.stop()


async def until_waiting(group: GroupCommit[int, int], count: int) -> None:
    async with asyncio.timeout(5):
        while group.waiting != count:
            await asyncio.sleep(0)


async def test_rows_that_come_during_a_commit_share_the_next_one() -> None:
    database = Database()
    async with writer(database) as group:
        database.open.clear()
        first = asyncio.create_task(group.submit(0))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        rest = [asyncio.create_task(group.submit(number)) for number in range(1, 10)]
        await until_waiting(group, 9)
        database.open.set()
        assert await asyncio.gather(first, *rest) == [2 * number for number in range(10)]
    assert database.groups == [[0], list(range(1, 10))]


async def test_a_group_never_exceeds_its_bound_and_every_row_gets_its_own_result() -> None:
    database = Database()
    count = 3 * group_commit.MOST_ROWS + 7
    async with writer(database) as group:
        assert await asyncio.gather(*(group.submit(n) for n in range(count))) == [2 * n for n in range(count)]
    assert max(map(len, database.groups)) <= group_commit.MOST_ROWS


@pytest.mark.parametrize(
    "fault", [OSError(), TimeoutError(), asyncpg.InterfaceError("closed"), asyncpg.ReadOnlySQLTransactionError("x"),
              asyncpg.TooManyConnectionsError("x"), asyncpg.InsufficientPrivilegeError("x"), asyncpg.DiskFullError("x")]
)  # fmt: skip
async def test_a_fault_of_the_database_is_repeated_until_it_is_over(
    fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commits, "FIRST_PAUSE", 0.001)
    database = Database()
    database.faults = [fault] * 3
    async with writer(database) as group:
        assert await asyncio.gather(*(group.submit(n) for n in range(3))) == [0, 2, 4]


async def test_a_commit_that_is_not_answered_is_repeated_on_another_connection_with_more_patience(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As where a pooler, or one backend, is frozen: TCP finds nothing wrong with it."""
    monkeypatch.setattr(commits, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(commits, "PATIENCE", 0.01)
    database, given, timeout = Database(), list[float](), asyncio.timeout

    def noted(seconds: float) -> asyncio.Timeout:
        given.append(seconds)
        return timeout(seconds)

    async def write(_: Any, rows: Sequence[int]) -> list[int]:
        if len(given) < 4:
            await asyncio.Event().wait()
        return list(rows)

    monkeypatch.setattr(commits.asyncio, "timeout", noted)
    monkeypatch.setattr(database, "write", write)
    async with writer(database) as group:
        assert await asyncio.wait_for(group.submit(7), 10) == 7
    assert given == [0.01, 0.02, 0.04, 0.08]


@pytest.mark.parametrize(
    "fault", [asyncpg.ClientConfigurationError("no root.crt"), ValueError("no port"), TypeError(), KeyError("ours"),
              asyncpg.DataError("at login"), UnicodeError("label too long")]
)  # fmt: skip
async def test_whatever_keeps_a_writer_from_connecting_is_waited_for_and_no_fault_of_a_row(
    fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address that can't be read, or certificates that are missing, are a ValueError of asyncpg's."""
    monkeypatch.setattr(commits, "FIRST_PAUSE", 0.001)
    database = Database()
    database.unreachable = [fault] * 5
    async with writer(database) as group:
        assert await asyncio.gather(*(group.submit(n) for n in range(3))) == [0, 2, 4]


async def test_a_row_that_cannot_be_stored_is_refused_alone() -> None:
    database = Database()
    async with writer(database) as group:
        results = await asyncio.gather(*(group.submit(n) for n in (1, -1, 2)), return_exceptions=True)
    assert results[0] == 2
    assert isinstance(results[1], RowRefused)
    assert results[2] == 4


async def test_a_row_that_cannot_be_stored_is_written_barely_where_that_is_known_and_refused_if_not_even_so() -> None:
    for bare, written in ((7, 14), (-1, None)):
        database = Database()
        group: GroupCommit[int, int] = GroupCommit("numbers", database.connect, database.write, lambda _, b=bare: b)
        group.start()
        first, odd = await group.submit_all([1, -1])
        assert first == 2
        assert odd == written if written else isinstance(odd, RowRefused)
        await group.stop()


async def test_a_refusing_writer_gives_up_what_waits_but_keeps_its_word_for_the_commit_under_way() -> None:
    database = Database()
    async with writer(database) as group:
        database.open.clear()
        under_way = asyncio.create_task(group.submit(1))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        waiting = asyncio.create_task(group.submit(2))
        await until_waiting(group, 1)
        group.refuse()
        with pytest.raises(WriterStopped):
            await waiting
        with pytest.raises(WriterStopped):
            await group.submit(3)
        database.open.set()
        assert await under_way == 2
        await asyncio.wait_for(group.drain(), 5)


async def test_stopping_in_the_middle_of_a_commit_leaves_no_one_waiting() -> None:
    database = Database()
    async with writer(database) as group:
        database.open.clear()
        under_way = asyncio.create_task(group.submit(1))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await group.stop()
        with pytest.raises(WriterStopped):
            await under_way


async def test_rows_of_one_message_are_written_together_and_learn_their_results_at_once() -> None:
    database = Database()
    async with writer(database) as group:
        database.open.clear()
        under_way = asyncio.create_task(group.submit(0))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        messages = [asyncio.create_task(group.submit_all(rows)) for rows in ([1, 2, 3], [4], [], [5, 6])]
        await until_waiting(group, 6)
        database.open.set()
        assert await asyncio.gather(*messages) == [[2, 4, 6], [8], [], [10, 12]]
        assert await under_way == 0
    assert database.groups == [[0], [1, 2, 3, 4, 5, 6]]


async def test_of_one_message_the_row_that_cannot_be_stored_is_refused_and_no_neighbour() -> None:
    database = Database()
    async with writer(database) as group:
        good, bad = await asyncio.gather(group.submit_all([1, 2]), group.submit_all([3, -1, 4]))
    assert good == [2, 4]
    assert (bad[0], bad[2]) == (6, 8)
    assert isinstance(bad[1], RowRefused)


async def test_a_message_beyond_the_bound_is_written_in_parts_and_answered_whole() -> None:
    database = Database()
    count = 2 * group_commit.MOST_ROWS + 7
    async with writer(database) as group:
        assert await group.submit_all(range(count)) == [2 * n for n in range(count)]
    assert max(map(len, database.groups)) <= group_commit.MOST_ROWS


async def test_messages_that_would_exceed_the_bound_together_are_written_one_after_the_other() -> None:
    database = Database()
    many = range(group_commit.MOST_ROWS - 1)
    async with writer(database) as group:
        await asyncio.gather(group.submit_all(many), group.submit_all([1, 2]), group.submit(3))
    assert [len(rows) for rows in database.groups] == [group_commit.MOST_ROWS - 1, 3]


async def test_what_nobody_foresaw_fails_the_row_that_meets_it_and_no_neighbour() -> None:
    database = Database()
    async with writer(database) as group:
        database.faults = [KeyError("ours")] * 4  # twice with its neighbours, twice alone
        [met, written], [other] = await asyncio.gather(group.submit_all([1, 2]), group.submit_all([3]))
        assert isinstance(met, KeyError)
        assert (written, other) == (4, 6)
        database.faults = [KeyError("ours")] * 4
        with pytest.raises(KeyError):
            await group.submit(5)


async def test_a_row_that_nobody_waits_for_is_told_of_once_it_is_durable() -> None:
    database, told = Database(), list[Any]()
    async with writer(database) as group:
        database.open.clear()
        for row in (1, -1, 3):
            group.put(row, told.append)
        await asyncio.sleep(0)
        assert told == []
        database.open.set()
        await asyncio.wait_for(group.drain(), 5)
        assert (told[0], type(told[1]), told[2]) == (2, RowRefused, 6)
        database.open.clear()
        group.put(4, told.append)
        await asyncio.sleep(0)
        group.put(5, told.append)
        await group.stop()
        group.put(6, told.append)
    assert [type(each) for each in told[3:]] == [WriterStopped] * 3


async def test_whoever_fails_on_being_told_does_not_end_the_writer() -> None:
    def failing(_: object) -> None:
        raise RuntimeError

    async with writer(Database()) as group:
        group.put(1, failing)
        assert await asyncio.wait_for(group.submit(2), 5) == 4


@pytest.mark.parametrize("locked", [{0}, {99}, {7, 8, 50}, set(range(40))])
async def test_only_the_rows_that_are_locked_wait_and_are_written_once_the_lock_is_gone(
    locked: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commits, "FIRST_PAUSE", 0.001)
    database = Database()
    database.locked = set(locked)
    async with writer(database) as group, asyncio.timeout(10):
        waiting = {number: asyncio.create_task(group.submit(number)) for number in range(100)}
        await asyncio.wait([task for number, task in waiting.items() if number not in locked])
        assert await group.submit(100) == 200, "what comes later passes them"
        drained = asyncio.create_task(group.drain())
        await asyncio.sleep(0.01)
        assert {number for number, task in waiting.items() if not task.done()} == locked
        assert not drained.done()
        database.locked.clear()
        assert await asyncio.gather(*waiting.values()) == [2 * number for number in range(100)]
        await drained
    assert sorted(number for rows in database.groups for number in rows) == [*range(101)]


async def test_rows_that_are_locked_when_their_writer_stops_are_told_so() -> None:
    database = Database()
    database.locked = {1}
    async with writer(database) as group:
        waiting = asyncio.create_task(group.submit(1))
        assert await group.submit(2) == 4
    with pytest.raises(WriterStopped):
        await asyncio.wait_for(waiting, 10)


async def test_a_bad_row_behind_a_lock_is_refused_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits, "FIRST_PAUSE", 0.001)
    database = Database()
    database.locked = {1}
    async with writer(database) as group, asyncio.timeout(10):
        waiting = asyncio.create_task(group.submit(1))
        assert await group.submit_all([-1, 3]) == [Refused(), 6]
        database.locked.clear()
        assert await waiting == 2


class Refused:
    """Equal to any refusal of a row."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RowRefused)

    __hash__ = None  # type: ignore[assignment] # nobody needs it
