"""Group commit: rows of many triggers go into one transaction, and each waits for the commit that holds its own.

While a commit is under way the next rows gather, so the groups grow by themselves as the load grows. A failed commit is
repeated until it works: statements must therefore be harmless when repeated. It repeats bookkeeping, never a send.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import asyncpg
import structlog

from ajo_worker.ledger.connecting import told

Row = TypeVar("Row")
Result = TypeVar("Result")
Connect = Callable[[], Awaitable[asyncpg.Connection]]
Write = Callable[[asyncpg.Connection, Sequence[Row]], Awaitable[Sequence[Result]]]

log = structlog.get_logger("ajo_worker.ledger")

MOST_ROWS = 500
"""Rows in one commit at most: longer statements only make the first rows wait."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0

# Faults of the row itself, which no repetition heals: class 22 (data) and 23 (integrity).
ROW_FAULTS = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, ValueError, TypeError, OverflowError)
# Faults of the database or of the way to it. The third is how asyncpg (0.32) meets some connections that were cut.
DATABASE_FAULTS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)


class WriterStopped(Exception):  # noqa: N818 - not an error: the worker is stopping
    """The row was not written, and will not be."""


class RowRefused(Exception):  # noqa: N818 - named like the other ends of a row
    """The ledger can't hold the row, however often it is offered; ``writer`` names the kind of row."""

    def __init__(self, writer: str, fault: Exception) -> None:
        super().__init__(f"{writer}: {type(fault).__name__}")
        self.writer = writer


class GroupCommit(Generic[Row, Result]):
    """One connection, one kind of statement, and the rows that wait for it."""

    def __init__(self, name: str, connect: Connect, write: Write[Row, Result]) -> None:
        self.name = name
        self._connect = connect
        self._write = write
        self._connection: asyncpg.Connection | None = None
        self._waiting: deque[tuple[Row, asyncio.Future[Result]]] = deque()
        self._work = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._empty = asyncio.Event()
        self._empty.set()
        self._stopped = False

    def start(self) -> None:
        """Begin to write; needs a running event loop."""
        self._task = asyncio.create_task(self._run(), name=f"ledger-{self.name}")

    async def submit(self, row: Row) -> Result:
        """Write a row and return once its commit is durable.

        Raises:
            RowRefused: the row itself can't be stored.
            WriterStopped: the writer was stopped first.
            Exception: a fault of our own, met twice.
        """
        if self._stopped:
            raise WriterStopped
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, future))
        self._empty.clear()
        self._work.set()
        return await future

    @property
    def waiting(self) -> int:
        """Rows that wait for a commit."""
        return len(self._waiting)

    async def drain(self) -> None:
        """Return when nothing waits any more."""
        await self._empty.wait()

    def refuse(self) -> None:
        """Take no more rows and give up those that wait; the commit under way goes on."""
        self._stopped = True
        while self._waiting:
            _give_up(self._waiting.popleft()[1])

    async def stop(self) -> None:
        """Stop at once, in the middle of a commit if need be."""
        self.refuse()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._disconnect()

    async def _run(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            while group := self._take():
                try:
                    await self._commit(group)
                finally:
                    for _, future in group:
                        _give_up(future)
            self._empty.set()

    def _take(self) -> list[tuple[Row, "asyncio.Future[Result]"]]:
        group: list[tuple[Row, asyncio.Future[Result]]] = []
        while self._waiting and len(group) < MOST_ROWS:
            row, future = self._waiting.popleft()
            if not future.cancelled():
                group.append((row, future))
        return group

    async def _commit(self, group: list[tuple[Row, "asyncio.Future[Result]"]]) -> None:
        pause, unforeseen = FIRST_PAUSE, False
        while True:
            try:
                if self._connection is None or self._connection.is_closed():
                    self._connection = await self._connect()
                results = await self._write(self._connection, [row for row, _ in group])
            except ROW_FAULTS as fault:
                await self._one_by_one(group, fault)
                return
            except DATABASE_FAULTS as fault:
                log.warning("ledger-write-waits", writer=self.name, rows=len(group), fault=told(fault), pause=pause)
                self._disconnect()
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            except Exception as fault:  # a writer that ended here would hold up its worker for ever
                log.exception("ledger-write-fault", writer=self.name, rows=len(group))
                self._disconnect()
                if unforeseen:
                    await self._one_by_one(group, fault)
                    return
                unforeseen = True
            else:
                for (_, future), result in zip(group, results, strict=True):
                    if not future.done():
                        future.set_result(result)
                return

    async def _one_by_one(self, group: list[tuple[Row, "asyncio.Future[Result]"]], fault: Exception) -> None:
        """Find the bad row: its neighbours are written all the same."""
        if len(group) == 1:
            future = group[0][1]
            log.error("ledger-row-refused", writer=self.name, fault=type(fault).__name__)
            if not future.done():
                future.set_exception(RowRefused(self.name, fault) if isinstance(fault, ROW_FAULTS) else fault)
            return
        for one in group:
            await self._commit([one])

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()


def _give_up(future: "asyncio.Future[Result]") -> None:
    if not future.done():
        future.set_exception(WriterStopped())
