"""A connection to the model of the ledger, as asyncpg has it."""

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg

from tests.support.simulation.loops import Loop
from tests.support.simulation.network import WAY, Network
from tests.support.simulation.statements import KINDS, of_any_day, run


async def connect(network: Network, loop: Loop) -> "Connection":
    """A connection of a process; refused while the ledger is away from it."""
    await asyncio.sleep(WAY)
    if network.is_cut(loop):
        raise ConnectionRefusedError
    return Connection(network, loop)


class Connection:
    """As much of asyncpg's connection as the ledger uses; each statement is a commit of its own."""

    def __init__(self, network: Network, loop: Loop) -> None:
        self.loop = loop
        self._network = network
        self._closed = False

    def is_closed(self) -> bool:
        """Whether it was closed from this side."""
        return self._closed

    def terminate(self) -> None:
        """Close it at once."""
        self._closed = True

    async def close(self) -> None:
        """Close it."""
        self.terminate()

    async def fetch(self, statement: str, *parameters: Any) -> Any:
        """Run a statement and give what it gives."""
        if self._closed:
            raise asyncpg.InterfaceError("connection is closed")
        now, tables, kind = self._network.now, self._network.tables, KINDS[of_any_day(statement)]
        return await self._network.carry(kind, self.loop, lambda: run(tables, now(), statement, parameters))

    async def fetchval(self, statement: str, *parameters: Any) -> Any:
        """Run a statement that gives one value."""
        return await self.fetch(statement, *parameters)

    fetchrow = fetchval

    execute = fetch

    async def executemany(self, statement: str, rows: Sequence[Any]) -> None:  # noqa: ARG002 - asyncpg's signature
        """Run a statement that the model doesn't need."""
        await self.fetch(statement)
