"""Group commit: rows gather while a commit is under way, faults are repeated, and a bad row stands alone."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from ajo_worker.ledger import group_commit
from ajo_worker.ledger.group_commit import GroupCommit, RowRefused, WriterStopped


class Connection:
    """As much of a connection as the writer uses."""

    def is_closed(self) -> bool:
        return False

    def terminate(self) -> None:
        pass


class Database:
    """Writes numbers, doubling them; can be closed, broken, or held up."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.faults: list[Exception] = []

    async def connect(self) -> Any:
        return Connection()

    async def write(self, _: Any, rows: Sequence[int]) -> list[int]:
        await self.open.wait()
        if self.faults:
            raise self.faults.pop(0)
        if -1 in rows:
            raise asyncpg.DataError("bad row")
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
    monkeypatch.setattr(group_commit, "FIRST_PAUSE", 0.001)
    database = Database()
    database.faults = [fault] * 3
    async with writer(database) as group:
        assert await asyncio.gather(*(group.submit(n) for n in range(3))) == [0, 2, 4]


async def test_a_row_that_cannot_be_stored_is_refused_alone() -> None:
    database = Database()
    async with writer(database) as group:
        results = await asyncio.gather(*(group.submit(n) for n in (1, -1, 2)), return_exceptions=True)
    assert results[0] == 2
    assert isinstance(results[1], RowRefused)
    assert results[2] == 4


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
