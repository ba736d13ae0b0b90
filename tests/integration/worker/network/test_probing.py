"""A worker's probes: written down, one worker at a time for each endpoint, and no harm whatever is broken."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.network.destination import Destination
from ajo_worker.network.probes import claim
from ajo_worker.network.probing import NetworkProbes
from structlog.testing import capture_logs
from uuid_utils.compat import uuid7

from tests.integration.worker.ledger.workers import until
from tests.support.database import query
from tests.support.raw_behaviours import hang, sending
from tests.support.raw_server import RawServer
from tests.support.waiting import DEADLINE_SECONDS

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
OFTEN, SELDOM = 0.05, 3600.0
PROBES = "select * from ledger.network_probes order by probe_id"
TLS = ssl.create_default_context()

Connect = Callable[[], Awaitable[asyncpg.Connection]]


def to(port: int) -> Destination:
    return Destination(
        f"127.0.0.1:{port}", "127.0.0.1", port, False, "/ajo/im/health", campaigns=("order-shipped", "refund")
    )


@asynccontextmanager
async def probing(connect: Connect, *ports: int, every: float = OFTEN) -> AsyncIterator[NetworkProbes]:
    """A worker's probes of these ports."""
    one = NetworkProbes(connect, uuid7(), LedgerClock(), map(to, ports), TLS, every=every)
    one.start()
    try:
        yield one
    finally:
        await one.stop()


def connecting(url: str) -> Connect:
    return lambda: asyncpg.connect(url)


async def test_each_probe_is_a_row_with_its_steps(database_url: str) -> None:
    async with RawServer(sending(OK)) as server, probing(connecting(database_url), server.port):
        row = (await until(lambda: query(database_url, PROBES), "a probe"))[0]
    assert (row["endpoint"], row["address"]) == (f"127.0.0.1:{server.port}", "127.0.0.1")
    assert (row["http_status"], row["failure"], row["tls_seconds"]) == (200, None, None)
    assert row["campaigns"] == ["order-shipped", "refund"]
    assert all(row[f"{step}_seconds"] >= 0 for step in ("dns", "connect", "first_byte"))


async def test_an_endpoint_that_is_dead_is_a_row_too_and_keeps_no_other_from_being_probed(
    database_url: str, unused_tcp_port: int
) -> None:
    async with RawServer(sending(OK)) as server, probing(connecting(database_url), server.port, unused_tcp_port):
        await until(lambda: len(query(database_url, PROBES)) > 3, "probes of both, again and again")
        rows = query(database_url, PROBES)
    failures = {row["endpoint"]: row["failure"] for row in rows}
    assert failures == {
        f"127.0.0.1:{server.port}": None,
        f"127.0.0.1:{unused_tcp_port}": "connect: Connection refused",
    }


async def test_an_endpoint_that_was_probed_just_now_is_nobodys_turn(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        async with RawServer(sending(OK)) as server, probing(connecting(database_url), server.port):
            await until(lambda: query(database_url, PROBES), "a probe")
        endpoint = f"127.0.0.1:{server.port}"
        assert await claim(connection, [endpoint, "another:1"], SELDOM) == {"another:1"}
        await asyncio.to_thread(
            query, database_url, "update ledger.network_probes set probed_at = probed_at - $1::interval",
            timedelta(seconds=2 * SELDOM),
        )  # fmt: skip
        assert await claim(connection, [endpoint], SELDOM) == {endpoint}
    finally:
        connection.terminate()


async def test_of_two_workers_one_probes_an_endpoint_at_a_time(database_url: str) -> None:
    first, second = await asyncpg.connect(database_url), await asyncpg.connect(database_url)
    try:
        assert await claim(first, ["one:1"], SELDOM) == {"one:1"}
        assert await claim(second, ["one:1", "two:2"], SELDOM) == {"two:2"}
    finally:
        first.terminate()
        second.terminate()


async def test_a_probe_that_hangs_does_not_keep_a_worker_from_stopping(database_url: str) -> None:
    async with (
        RawServer(hang) as server,
        asyncio.timeout(DEADLINE_SECONDS),
        probing(connecting(database_url), server.port),
    ):
        await server.until(lambda: bool(server.requests), "the probe's request")
    assert not query(database_url, PROBES)


@pytest.mark.parametrize("fault", [OSError(), asyncpg.InternalClientError("x"), RuntimeError("never seen before")])
async def test_a_ledger_that_is_away_is_asked_again(database_url: str, fault: Exception) -> None:
    faults: list[Any] = [fault, fault]

    async def connect() -> asyncpg.Connection:
        if faults:
            raise faults.pop()
        return await asyncpg.connect(database_url)

    with capture_logs() as logs:
        async with RawServer(sending(OK)) as server, probing(connect, server.port):
            await until(lambda: query(database_url, PROBES), "a probe")
    assert [log["fault"] for log in logs if log["event"] == "network-probes-failed"][:2] == [type(fault).__name__] * 2


async def test_with_an_interval_of_0_nothing_is_probed(database_url: str) -> None:
    async with RawServer(sending(OK)) as server, probing(connecting(database_url), server.port, every=0) as one:
        assert one._task is None
        assert not server.requests
