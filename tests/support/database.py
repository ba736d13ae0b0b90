"""Asking the ledger, from tests that run an event loop and from those that don't."""

import asyncio
import select
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock
from typing import Any

import asyncpg

COPIED = "strategy file_copy"
"""How a template of a thousand small files is copied for half the CPU: file by file, and not through the log."""


class Kept:
    """A connection to a database that is asked often: on each new one, PostgreSQL reads anew what a view is made of."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._loop = asyncio.new_event_loop()
        self._connection: asyncpg.Connection | None = None
        self.lock = Lock()

    def query(self, sql: str, arguments: tuple[Any, ...]) -> list[dict[str, Any]]:
        """The rows of one statement; for one thread at a time, which holds the lock."""
        return self._loop.run_until_complete(self._query(sql, arguments))

    def close(self) -> None:
        """For good."""
        with self.lock:
            self._give_up()
            self._loop.run_until_complete(asyncio.sleep(0))
            self._loop.close()

    async def _query(self, sql: str, arguments: tuple[Any, ...]) -> list[dict[str, Any]]:
        if self._connection is None or self._has_news(self._connection):
            self._give_up()
            self._connection = await asyncpg.connect(self._url)
        return [dict(row) for row in await self._connection.fetch(sql, *arguments)]

    def _has_news(self, connection: asyncpg.Connection) -> bool:
        """Whether the server has ended it, or has other settings now: of itself it says nothing else."""
        if connection.is_closed():
            return True
        poller = select.poll()
        transport = connection._transport  # type: ignore[attr-defined] # asyncpg has no public name for it
        poller.register(transport.get_extra_info("socket"), select.POLLIN)
        return bool(poller.poll(0))

    def _give_up(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


_KEPT: dict[str, Kept] = {}


@contextmanager
def kept(url: str) -> Iterator[None]:
    """Within the block, ``query`` has one connection to this database, unless it is busy, and not one a statement.

    A statement must not leave anything in its session: no settings, no locks, no temporary tables.
    """
    _KEPT[url] = Kept(url)
    try:
        yield
    finally:
        _KEPT.pop(url).close()


async def _query(url: str, sql: str, arguments: tuple[Any, ...]) -> list[dict[str, Any]]:
    connection = await asyncpg.connect(url)
    try:
        return [dict(row) for row in await connection.fetch(sql, *arguments)]
    finally:
        await connection.close()


def query(url: str, sql: str, *arguments: Any) -> list[dict[str, Any]]:
    """The rows of one statement, on a connection of its own or on the one that is ``kept``."""
    with ThreadPoolExecutor(1) as thread:  # a test may be inside a running loop, which can't run another
        connection = _KEPT.get(url)
        if connection is not None and connection.lock.acquire(blocking=False):
            try:
                return thread.submit(connection.query, sql, arguments).result()
            finally:
                connection.lock.release()
        return thread.submit(asyncio.run, _query(url, sql, arguments)).result()
