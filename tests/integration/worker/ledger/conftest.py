"""Connections to one test's ledger, as a worker opens them, and a ledger whose server may be stopped."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import pytest
from ajo_local.postgres import VOLATILE, Postgres, start_postgres
from ajo_local.processes import Processes
from ajo_worker.ledger import schema
from ajo_worker.ledger.ledger import PLANNER

from tests.support.database import COPIED, query

Connect: TypeAlias = Callable[[], Awaitable[asyncpg.Connection]]
Read: TypeAlias = Callable[[str, UUID], Awaitable[list[dict[str, Any]]]]


@pytest.fixture
async def connect(database_url: str) -> AsyncIterator[Connect]:
    """Opens connections with a worker's planner settings; they are closed afterwards."""
    async with AsyncExitStack() as stack:

        async def opened() -> asyncpg.Connection:
            connection = await asyncpg.connect(database_url, server_settings=PLANNER)
            stack.callback(connection.terminate)
            return connection

        yield opened


@pytest.fixture
async def connection(connect: Connect) -> asyncpg.Connection:
    """One such connection."""
    return await connect()


@pytest.fixture
def read(connection: asyncpg.Connection) -> Read:
    """Reads the rows that a table of the ledger has of one trigger: ``await read("attempts", request_id)``."""

    async def rows(table: str, request_id: UUID) -> list[dict[str, Any]]:
        order = "round, attempt" if table == "attempts" else "request_id"
        sql = f"select * from ledger.{table} where request_id = $1 order by {order}"
        return [dict(row) for row in await connection.fetch(sql, request_id)]

    return rows


@dataclass(frozen=True, slots=True)
class Stoppable:
    """A migrated database of one test, on a server that the test may stop and start."""

    server: Postgres
    url: str

    def stop(self) -> None:
        """Stop the server: connections are cut, the data stay."""
        self.server.stop()

    def start(self) -> None:
        """Start it again, at the same address."""
        self.server.start()

    def said(self) -> str:
        """What the server has logged since its start."""
        return self.server.child.output() if self.server.child else ""


@pytest.fixture(scope="session")
def stoppable_server(session_processes: Processes) -> Postgres:
    """A server beside the one of all other tests; its database ``migrated`` is copied for each test."""
    server = start_postgres(session_processes, VOLATILE)
    query(server.url, "create database migrated")
    asyncio.run(schema.upgrade(server.url_of("migrated"), lambda _: None))
    return server


@pytest.fixture
def stoppable(stoppable_server: Postgres) -> Iterator[Stoppable]:
    """Such a database; its server runs when the test begins, and again when it has ended."""
    name = f"test_{secrets.token_hex(6)}"
    query(stoppable_server.url, f"create database {name} template migrated {COPIED}")
    yield Stoppable(stoppable_server, stoppable_server.url_of(name))
    if stoppable_server.child is None or not stoppable_server.child.running:
        stoppable_server.start()
    query(stoppable_server.url, f"drop database {name} with (force)")
