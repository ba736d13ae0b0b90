"""Group commit: rows of many triggers go into one transaction, and each waits for the commit that holds its own.

Rows that are offered together are written together, and have one future.

While a commit is under way the next rows gather, so the groups grow by themselves as the load grows. A failed commit is
repeated until it works: statements must therefore be harmless when repeated. It repeats bookkeeping, never a send.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

import asyncpg
import structlog

from ajo_worker.ledger.connecting import told
from ajo_worker.ledger.write_faults import DATABASE_FAULTS, ROW_FAULTS, NoConnection, RowRefused, WriterStopped

Row = TypeVar("Row")
Result = TypeVar("Result")
Connect = Callable[[], Awaitable[asyncpg.Connection]]
Write = Callable[[asyncpg.Connection, Sequence[Row]], Awaitable[Sequence[Result]]]

log = structlog.get_logger("ajo_worker.ledger")

MOST_ROWS = 500
"""Rows in one commit at most: longer statements only make the first rows wait."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
PATIENCE, MOST_PATIENCE = 10.0, 60.0
"""Seconds that a commit gets at first, and at most: twice as many each time that they weren't enough. A connection
may be frozen though its other side lives (a pooler, a backend, a load balancer that forgot it): budgets must not wait
for it."""
# A commit that was cut off while it waited for a synchronous standby is committed all the same. A repetition finds its
# rows and writes nothing, so PostgreSQL has it wait for nobody: this is a commit of its own, which comes after theirs.
AFTER_ALL = "SELECT pg_logical_emit_message(true, 'ajo-dispatch', '')"

_Told: TypeAlias = "Callable[[list[Result | Exception] | Exception], None]"


class _Offer(Generic[Row, Result]):
    """Rows that were offered together, and whom to tell once what became of them."""

    __slots__ = ("_future", "_told", "rows")

    def __init__(self, rows: Sequence[Row], told: "_Told[Result]", future: "asyncio.Future[Any] | None" = None) -> None:
        self.rows = rows
        self._told: _Told[Result] | None = told
        self._future = future

    @property
    def wanted(self) -> bool:
        """Whether somebody still waits for it."""
        return self._future is None or not self._future.cancelled()

    def tell(self, results: "list[Result | Exception] | Exception") -> None:
        told, self._told = self._told, None
        if told is None:
            return
        try:
            told(results)
        except Exception:
            log.exception("ledger-told-fault")  # a writer that ended here would hold up its worker for ever


class GroupCommit(Generic[Row, Result]):
    """One connection, one kind of statement, and the rows that wait for it.

    ``bare`` makes of a row that the ledger can't hold one that it can: what counts in it must be on record.
    """

    def __init__(
        self, name: str, connect: Connect, write: Write[Row, Result], bare: Callable[[Row], Row] | None = None
    ) -> None:
        self.name = name
        self._connect = connect
        self._write = write
        self._bare = bare
        self._connection: asyncpg.Connection | None = None
        self._waiting: deque[_Offer[Row, Result]] = deque()
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
        [result] = await self._future([row])
        if isinstance(result, Exception):
            raise result
        return result

    async def submit_all(self, rows: Sequence[Row]) -> list[Result | Exception]:
        """Write rows together and return once all are durable, each with its result.

        Of a row that can't be stored, or is met by a fault of our own, the result is what ``submit`` would raise; its
        neighbours are written.

        Raises:
            WriterStopped: the writer was stopped first; some of the rows may have been written.
        """
        if len(rows) <= MOST_ROWS:
            return await self._future(rows)
        parts = [self._future(rows[begin : begin + MOST_ROWS]) for begin in range(0, len(rows), MOST_ROWS)]
        return [result for part in await asyncio.gather(*parts) for result in part]

    def put(self, row: Row, told: Callable[[Result | Exception], None]) -> None:
        """Write a row that nobody waits for: ``told`` is called on the loop once its commit is durable.

        It gets the row's result, or what ``submit`` would raise: RowRefused, WriterStopped, or a fault of our own.
        """
        self._offer(_Offer([row], lambda results: told(results if isinstance(results, Exception) else results[0])))

    @property
    def waiting(self) -> int:
        """Rows that wait for a commit."""
        return sum(len(offer.rows) for offer in self._waiting)

    async def drain(self) -> None:
        """Return when nothing waits any more."""
        await self._empty.wait()

    def refuse(self) -> None:
        """Take no more rows and give up those that wait; the commit under way goes on."""
        self._stopped = True
        while self._waiting:
            self._waiting.popleft().tell(WriterStopped())

    async def stop(self) -> None:
        """Stop at once, in the middle of a commit if need be."""
        self.refuse()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._disconnect()

    def _future(self, rows: Sequence[Row]) -> "asyncio.Future[list[Result | Exception]]":
        future: asyncio.Future[list[Result | Exception]] = asyncio.get_running_loop().create_future()

        def told(results: list[Result | Exception] | Exception) -> None:
            if future.done():
                return
            if isinstance(results, Exception):
                future.set_exception(results)
            else:
                future.set_result(results)

        self._offer(_Offer(rows, told, future))
        return future

    def _offer(self, offer: _Offer[Row, Result]) -> None:
        if self._stopped:
            offer.tell(WriterStopped())
            return
        self._waiting.append(offer)
        self._empty.clear()
        self._work.set()

    async def _run(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            while group := self._take():
                try:
                    await self._commit(group)
                except BaseException:  # stopped in the middle of it
                    for offer in group:
                        offer.tell(WriterStopped())
                    raise
            self._empty.set()

    def _take(self) -> list[_Offer[Row, Result]]:
        group: list[_Offer[Row, Result]] = []
        room = MOST_ROWS
        while self._waiting and len(self._waiting[0].rows) <= room:
            offer = self._waiting.popleft()
            if offer.wanted:
                group.append(offer)
                room -= len(offer.rows)
        return group

    async def _commit(self, group: list[_Offer[Row, Result]]) -> None:
        rows = [row for offer in group for row in offer.rows]
        try:
            results: list[Result | Exception] = list(await self._durable(rows))
        except Exception as fault:  # noqa: BLE001 - of one of the rows, or our own: each is told
            for offer in group:
                await self._one_by_one(offer, fault if len(rows) == 1 else None)
        else:
            begin = 0
            for offer in group:
                end = begin + len(offer.rows)
                offer.tell(results[begin:end])
                begin = end

    async def _durable(self, rows: Sequence[Row]) -> Sequence[Result]:
        """The rows' results, once their commit is durable. Raises what no repetition heals."""
        pause, patience, unforeseen, cut_off = FIRST_PAUSE, PATIENCE, False, False
        while True:
            try:
                connection = await self._connected()
                async with asyncio.timeout(patience):
                    results = await self._write(connection, rows)
                    if cut_off:
                        await connection.execute(AFTER_ALL)
                return results  # noqa: TRY300 - the commit that makes them durable may fail, too
            except ROW_FAULTS:
                raise
            except (NoConnection, *DATABASE_FAULTS) as fault:
                why = told(fault.__cause__ if isinstance(fault, NoConnection) and fault.__cause__ else fault)
                cut_off = cut_off or not isinstance(fault, NoConnection)
                log.warning("ledger-write-waits", writer=self.name, rows=len(rows), fault=why, pause=pause)
                self._disconnect()
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                patience = min(patience * 2, MOST_PATIENCE) if isinstance(fault, TimeoutError) else patience
            except Exception:  # a writer that ended here would hold up its worker for ever
                log.exception("ledger-write-fault", writer=self.name, rows=len(rows))
                self._disconnect()
                if unforeseen:
                    raise
                unforeseen = True

    async def _connected(self) -> asyncpg.Connection:
        """The connection, or a new one.

        Raises:
            NoConnection: there is none, and its cause says why.
        """
        if self._connection is None or self._connection.is_closed():
            try:
                self._connection = await self._connect()
            except Exception as fault:
                raise NoConnection from fault
        return self._connection

    async def _one_by_one(self, offer: _Offer[Row, Result], fault: Exception | None) -> None:
        """Find the bad row: its neighbours are written all the same. ``fault`` is known of a row that stood alone."""
        results: list[Result | Exception] = []
        for row in offer.rows:
            result = fault or await self._alone(row)
            if isinstance(result, ROW_FAULTS):
                log.error("ledger-row-refused", writer=self.name, fault=type(result).__name__)
                result = await self._alone(self._bare(row)) if self._bare else result
            if isinstance(result, ROW_FAULTS):
                result = RowRefused(self.name, result)
            results.append(result)
        offer.tell(results)

    async def _alone(self, row: Row) -> Result | Exception:
        try:
            [result] = await self._durable([row])
        except Exception as fault:  # noqa: BLE001 - whoever offered the row is told
            return fault
        return result

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
