"""Looks into the broker now and then, so that everybody who reads the ledger knows how much waits there."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import TypeVar

import structlog

from ajo_worker.daemon_threads import DaemonThreads
from ajo_worker.ledger import looks
from ajo_worker.ledger.looks import EVERY
from ajo_worker.ledger.shared_connection import SharedConnection

log = structlog.get_logger("ajo_worker.intake")

T = TypeVar("T")
Ask = Callable[[list[str]], dict[str, int]]
"""How many messages wait in each of these queues; it may take its time, and raise."""


class Looking:
    """One for each worker; whoever is first looks, for all. ``queues`` are all there are, with their lanes."""

    def __init__(
        self, ledger: SharedConnection, queues: Mapping[str, str], ask: Ask, close: Callable[[], None]
    ) -> None:
        self._ledger = ledger
        self._queues = queues
        self._ask = ask
        self._close = close
        self._thread = DaemonThreads(1)
        self._task: asyncio.Task[None] | None = None
        self._told = ""

    def start(self) -> None:
        """Begin; needs a running event loop."""
        self._task = asyncio.create_task(self._run(), name="looking")

    async def stop(self) -> None:
        """Stop at once: others look, or nobody needs to."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._thread.submit(self._close)

    async def lengths(self, queues: Iterable[str]) -> Mapping[str, int]:
        """How many messages wait in these queues now, over the connection that it keeps.

        Raises:
            OSError: the broker can't be reached, or refuses.
        """
        return await self._on_thread(partial(self._ask, list(queues)))

    async def look(self) -> None:
        """Look into the queues that nobody has looked into of late, and note what is slowed as well."""
        claimed = await self._ledger.run(partial(looks.claim, lanes=self._queues))
        if not claimed:
            return
        await self._ledger.run(looks.record_rates)
        await self._ledger.run(partial(looks.record, messages=await self.lengths(claimed)))

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except Exception as fault:  # noqa: BLE001 - triggers are sent without it; a broker that is away is told of elsewhere
                self._tell(type(fault).__name__)
            else:
                self._told = ""
            await asyncio.sleep(EVERY)

    def _tell(self, fault: str) -> None:
        (log.debug if fault == self._told else log.info)("queues-not-seen", fault=fault)
        self._told = fault

    def _on_thread(self, work: Callable[[], T]) -> Awaitable[T]:
        return asyncio.wrap_future(self._thread.submit(work))
