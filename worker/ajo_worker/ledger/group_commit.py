"""Group commit: rows of many triggers go into one transaction, and each waits for the commit that holds its own.

Rows that are offered together are written together, and have one future.

While a commit is under way the next rows gather, so the groups grow by themselves as the load grows. A group of which
somebody keeps rows locked waits aside for these, and the next ones pass it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeAlias

import structlog

from ajo_worker.ledger.aside import Aside, impatient
from ajo_worker.ledger.commits import FIRST_PAUSE, Commits, Connect, Result, Row, Write
from ajo_worker.ledger.write_faults import ROW_FAULTS, Locked, RowRefused, WriterStopped

log = structlog.get_logger("ajo_worker.ledger")

MOST_ROWS = 500
"""Rows in one commit at most: longer statements only make the first rows wait."""

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
    """One kind of statement, and the rows that wait for it.

    ``bare`` makes of a row that the ledger can't hold one that it can: what counts in it must be on record.
    """

    def __init__(
        self, name: str, connect: Connect, write: Write[Row, Result], bare: Callable[[Row], Row] | None = None
    ) -> None:
        self.name = name
        self._commits = Commits(name, connect, write)
        self._commits_aside = Commits(name, impatient(connect), write)
        self._aside: Aside[_Offer[Row, Result]] = Aside(self._commit_aside, self._commits_aside.disconnect, MOST_ROWS)
        self._bare = bare
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
        await self._aside.drain()

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
        for offer in await self._aside.stop():
            offer.tell(WriterStopped())
        self._commits.disconnect()
        self._commits_aside.disconnect()

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
                    await self._commit(self._commits, group)
                except Locked as fault:
                    log.warning("ledger-rows-locked", writer=self.name, offers=len(group), fault=str(fault))
                    self._aside.add(group, cut_off=fault.cut_off)
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

    async def _commit_aside(self, group: list[_Offer[Row, Result]], cut_off: bool) -> None:
        await self._commit(self._commits_aside, [offer for offer in group if offer.wanted], cut_off=cut_off)

    async def _commit(
        self, commits: Commits[Row, Result], group: list[_Offer[Row, Result]], *, cut_off: bool = False
    ) -> None:
        rows = [row for offer in group for row in offer.rows]
        if not rows:
            return
        try:
            results: list[Result | Exception] = list(await commits.durable(rows, cut_off=cut_off))
        except Locked:
            raise
        except Exception as fault:  # noqa: BLE001 - of one of the rows, or our own: each is told
            for offer in group:
                await self._one_by_one(commits, offer, fault if len(rows) == 1 else None)
        else:
            begin = 0
            for offer in group:
                end = begin + len(offer.rows)
                offer.tell(results[begin:end])
                begin = end

    async def _one_by_one(
        self, commits: Commits[Row, Result], offer: _Offer[Row, Result], fault: Exception | None
    ) -> None:
        """Find the bad row: its neighbours are written all the same. ``fault`` is known of a row that stood alone."""
        results: list[Result | Exception] = []
        for row in offer.rows:
            result = fault or await self._alone(commits, row)
            if isinstance(result, ROW_FAULTS):
                log.error("ledger-row-refused", writer=self.name, fault=type(result).__name__)
                result = await self._alone(commits, self._bare(row)) if self._bare else result
            if isinstance(result, ROW_FAULTS):
                result = RowRefused(self.name, result)
            results.append(result)
        offer.tell(results)

    async def _alone(self, commits: Commits[Row, Result], row: Row) -> Result | Exception:
        while True:
            try:
                [result] = await commits.durable([row])
            except Locked:
                await asyncio.sleep(FIRST_PAUSE)
            except Exception as fault:  # noqa: BLE001 - whoever offered the row is told
                return fault
            else:
                return result
