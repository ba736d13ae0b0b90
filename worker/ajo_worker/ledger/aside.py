"""Rows that somebody keeps locked wait aside, on a connection of their own, so that those behind them need not.

The lock may be that of a session that is frozen in the middle of a commit, or of a transaction that somebody forgot.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from typing import Any, Generic, Protocol, TypeVar

import asyncpg
import structlog

from ajo_worker.ledger import commits
from ajo_worker.ledger.commits import Connect
from ajo_worker.ledger.write_faults import Locked

log = structlog.get_logger("ajo_worker.ledger")


class Rows(Protocol):
    """Rows that are written together."""

    rows: Sequence[Any]


Offer = TypeVar("Offer", bound=Rows)

LOCK_SECONDS = 0.1
"""How long a lock is waited for here: which of the rows are locked is found by trying ever fewer of them."""


class Aside(Generic[Offer]):
    """``commit`` writes some offers and tells them, or raises ``Locked``; once none is left, it may ``rest``.

    As many are tried together as went well before: half as many after a lock, twice as many after none, and never
    more than have ``most`` rows.
    """

    def __init__(
        self, commit: Callable[[list[Offer], bool], Awaitable[None]], rest: Callable[[], None], most: int
    ) -> None:
        self._commit, self._rest, self._most = commit, rest, most
        self._offers: deque[Offer] = deque()
        self._cut_off = False
        self._task: asyncio.Task[None] | None = None

    def add(self, offers: list[Offer], *, cut_off: bool) -> None:
        """Have them wait; ``cut_off``: a commit of theirs may have been cut off."""
        self._offers.extend(offers)
        self._cut_off = self._cut_off or cut_off
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(len(offers) // 2), name="ledger-aside")

    async def drain(self) -> None:
        """Return when none waits any more."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def stop(self) -> list[Offer]:
        """Stop at once; those that were not written."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        return list(self._offers)

    async def _run(self, many: int) -> None:
        pause, in_vain = commits.FIRST_PAUSE, 0
        while self._offers:
            some = self._first(many)
            try:
                await self._commit(some, self._cut_off)
            except Locked as fault:
                self._cut_off = self._cut_off or fault.cut_off
                self._offers.rotate(-len(some))
                many, in_vain = len(some) // 2, in_vain + len(some)
                if not many and in_vain >= len(self._offers):
                    log.debug("ledger-rows-still-locked", fault=str(fault), pause=pause)
                    await asyncio.sleep(pause)
                    pause, in_vain = min(2 * pause, commits.LONGEST_PAUSE), 0
            else:
                for _ in some:
                    self._offers.popleft()
                many, pause, in_vain = 2 * len(some), commits.FIRST_PAUSE, 0
        self._cut_off = False
        self._rest()

    def _first(self, many: int) -> list[Offer]:
        some, rows = [self._offers[0]], len(self._offers[0].rows)
        for offer in islice(self._offers, 1, many):
            rows += len(offer.rows)
            if rows > self._most:
                break
            some.append(offer)
        return some


def impatient(connect: Connect) -> Connect:
    """The same, whose connections wait for a lock as briefly as here."""

    async def connected() -> asyncpg.Connection:
        connection = await connect()
        await connection.execute(f"SET lock_timeout = '{LOCK_SECONDS:g}s'")
        return connection

    return connected
