"""One connection for statements that are few, and that several parts of a worker ask for."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

import asyncpg

T = TypeVar("T")
Connect: TypeAlias = Callable[[], Awaitable[asyncpg.Connection]]

TIMEOUT = 10.0
"""Seconds after which a statement counts as lost, and its connection with it."""


class SharedConnection:
    """Runs one statement after another; a connection that failed is made anew for the next."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._connection: asyncpg.Connection | None = None
        self._lock = asyncio.Lock()

    async def run(self, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        """Do ``work`` with the connection.

        Raises:
            Exception: whatever it raises; nothing is repeated.
        """
        async with self._lock:
            try:
                async with asyncio.timeout(TIMEOUT):
                    if self._connection is None or self._connection.is_closed():
                        self._connection = await self._connect()
                    return await work(self._connection)
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """Cut it."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
