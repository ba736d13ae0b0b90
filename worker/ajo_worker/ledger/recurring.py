"""Work in the background that comes again and again, and that nobody waits for."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from ajo_worker.ledger.connect_faults import told


class Recurring(ABC):
    """Runs on the worker's loop, on a connection of its own that is open only while it works."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[asyncpg.Connection]],
        *,
        name: str,
        failed: str,
        log: Any,  # noqa: ANN401 - structlog gives its loggers no type
    ) -> None:
        self._connect = connect
        self._name = name
        self._failed = failed
        self._log = log
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    async def work(self, connection: asyncpg.Connection) -> None:
        """One round; it may be cut off anywhere."""

    @abstractmethod
    def pause(self, *, failed: bool | None) -> float:
        """Seconds until the next round, by whether the last one failed; None before the first."""

    def start(self) -> None:
        """Begin; needs a running event loop."""
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        """Stop at once: what is left undone is done by another worker, or later."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        failed: bool | None = None
        while True:
            await asyncio.sleep(self.pause(failed=failed))
            failed = True
            try:
                await self._once()
                failed = False
            except Exception as fault:  # noqa: BLE001 - triggers are sent without it, and the next round makes up for it
                self._log.warning(self._failed, fault=told(fault))

    async def _once(self) -> None:
        connection = await self._connect()
        try:
            await self.work(connection)
        finally:
            connection.terminate()
