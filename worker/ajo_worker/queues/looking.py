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
TELLING = 3
"""Looks in a row that fail until it is told aloud: a connection is cut now and then, queues that are down stay so."""
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
        self._missed = 0

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

    async def look(self) -> bool:
        """Look into the queues that nobody has looked into of late, and note what is slowed as well; whether it did."""
        claimed = await self._ledger.run(partial(looks.claim, lanes=self._queues))
        if not claimed:
            return False
        await self._ledger.run(looks.record_rates)
        await self._ledger.run(partial(looks.record, messages=await self.lengths(claimed)))
        return True

    async def _run(self) -> None:
        while True:
            try:
                looked = await self.look()
            except Exception as fault:  # noqa: BLE001 - triggers are sent without it
                self._missed += 1
                tell = log.warning if self._missed == TELLING else log.debug
                tell("queues-not-seen", fault=_kind_of(fault), missed=self._missed)
            else:
                if looked:
                    if self._missed >= TELLING:
                        log.info("queues-seen-again", missed=self._missed)
                    self._missed = 0
            await asyncio.sleep(EVERY)

    def _on_thread(self, work: Callable[[], T]) -> Awaitable[T]:
        return asyncio.wrap_future(self._thread.submit(work))


def _kind_of(fault: Exception) -> str:
    """The broker's fault is told by its name, which is the text of ours."""
    return str(fault) if type(fault) is OSError else type(fault).__name__
