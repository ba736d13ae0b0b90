"""A connection to the model of the ledger, as asyncpg has it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
from ajo_worker.ledger import progress
from ajo_worker.ledger.progress import Ending

from tests.support.simulation.loops import Loop
from tests.support.simulation.network import WAY, Network, Work
from tests.support.simulation.statements import CHANGING, KINDS, rows_of, run


async def connect(network: Network, loop: Loop) -> "Connection":
    """A connection of a process; refused while the ledger is away from it."""
    await asyncio.sleep(WAY)
    if network.is_cut(loop):
        raise ConnectionRefusedError
    return Connection(network, loop)


class Connection:
    """As much of asyncpg's connection as the ledger uses. What a transaction does is seen once it is committed."""

    def __init__(self, network: Network, loop: Loop) -> None:
        self.loop = loop
        self._network = network
        self._closed = False
        self._held: list[Callable[[], Any]] | None = None

    def is_closed(self) -> bool:
        """Whether it was closed from this side."""
        return self._closed

    def terminate(self) -> None:
        """Close it at once."""
        self._closed = True
        self._network.unlock(self)

    async def close(self) -> None:
        """Close it."""
        self.terminate()

    async def fetch(self, statement: str, *parameters: Any) -> Any:
        """Run a statement and give what it gives; inside a transaction, END is the only one."""
        changes = parameters[0] if statement in CHANGING else ()
        if self._held is None:
            return await self._ask(KINDS[statement], self._work(statement, parameters), changes)
        if statement != progress.END:
            raise NotImplementedError(statement)

        def hold() -> list[tuple[UUID]]:
            endings = rows_of(Ending, parameters)
            ended = [end.request_id for end in endings if self._network.tables.ends(end)]
            if self.loop.alive and not self._closed:  # else the server finds nobody to answer, and rolls back
                self._network.lock(self, ended)
            return [(one,) for one in ended]

        self._held.append(self._work(statement, parameters))
        return await self._ask(KINDS[statement], hold, changes)

    async def fetchval(self, statement: str, *parameters: Any) -> Any:
        """Run a statement that gives one value."""
        return await self.fetch(statement, *parameters)

    fetchrow = fetchval

    async def execute(self, statement: str, *parameters: Any) -> None:
        """Run a statement; inside a transaction its turn comes with the commit."""
        if self._held is not None:
            self._held.append(self._work(statement, parameters))
        else:
            await self.fetch(statement, *parameters)

    async def executemany(self, statement: str, rows: Sequence[Any]) -> None:  # noqa: ARG002 - asyncpg's signature
        """Run a statement that the model doesn't need."""
        await self._ask(KINDS[statement], lambda: None, ())

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """All of it happens in one moment, or nothing."""
        self._held = held = []
        try:
            yield
            await self._ask("commits", lambda: self._commit(held), ())
        finally:
            self._held = None

    def _commit(self, held: Sequence[Callable[[], Any]]) -> None:
        for each in held:
            each()
        self._network.unlock(self)

    async def _ask(self, kind: str, do: Callable[[], Any], changes: Sequence[UUID]) -> Any:
        if self._closed:
            raise asyncpg.InterfaceError("connection is closed")
        return await self._network.carry(kind, Work(self, do, changes))

    def _work(self, statement: str, parameters: Sequence[Any]) -> Callable[[], Any]:
        return lambda: run(self._network.tables, self._network.now(), statement, parameters)
