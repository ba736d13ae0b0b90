"""The way to an endpoint over real sockets: each step is measured apart, and the one that fails is named."""

import asyncio
import socket
from collections.abc import Callable, Iterator, Sequence
from threading import Event

import pytest
from ajo_worker.network.steps import MOST_BYTES, Address
from ajo_worker.network.way import Way, explore

from tests.integration.worker.network.ways import LONG, OK, SHORT, to
from tests.support.raw_behaviours import close_read, hang, sending, stalling
from tests.support.raw_server import Connection, RawServer


async def test_nothing_is_sent_but_a_request_without_credentials() -> None:
    async with RawServer(sending(OK)) as server:
        await explore(to(server.port), None, LONG)
        [request] = server.requests
    assert request.startswith(b"GET /ajo/im/health HTTP/1.1\r\nhost: 127.0.0.1:%d\r\n" % server.port)
    assert b"hidden" not in request
    assert b"authorization" not in request.lower()


async def test_no_value_of_a_header_begins_a_line_of_its_own() -> None:
    async with RawServer(sending(OK)) as server:
        await explore(to(server.port), None, LONG, {"x-api-key": "shop\r\nx-more: yes"})
        [request] = server.requests
    assert b"\r\nx-api-key: shop x-more: yes\r\n" in request


async def gone(seconds: float, resolver: Callable[[str, int], Sequence[Address]], port: int = 1) -> Way:
    return await explore(to(port, host="host.example.com"), None, seconds, resolver=resolver)


async def test_a_name_that_is_not_found_fails_at_dns() -> None:
    def unknown(host: str, port: int) -> Sequence[Address]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    way = await gone(LONG, unknown)
    assert (way.failure, way.took) == ("dns: Name or service not known", {})


async def test_a_host_that_is_no_name_at_all_fails_at_dns() -> None:
    way = await explore(to(80, host="a" * 64 + ".example.com"), None, LONG)
    assert way.failed == "dns"


async def test_a_resolver_that_hangs_fails_at_dns_and_is_not_waited_for() -> None:
    never = Event()

    def hangs(host: str, port: int) -> Sequence[Address]:
        never.wait()
        return []

    try:
        async with asyncio.timeout(LONG):
            way = await gone(SHORT, hangs)
    finally:
        never.set()
    assert (way.failure, way.took) == ("dns: no answer", {})


async def test_time_that_the_resolver_took_is_that_of_dns_alone(clock: list[float]) -> None:
    async with RawServer(sending(OK)) as server:
        port = server.port

        def slow(host: str, _: int) -> Sequence[Address]:
            clock[0] += 7
            return [(socket.AF_INET, ("127.0.0.1", port))]

        way = await gone(LONG, slow)
    assert (way.took["dns"], way.took["connect"], way.took["first_byte"]) == (7, 0, 0)


async def test_a_refused_connection_fails_at_connect() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    way = await explore(to(port), None, LONG)
    assert (way.failure, list(way.took)) == ("connect: Connection refused", ["dns"])


@pytest.fixture
def full() -> Iterator[int]:
    """A port whose backlog is full: what else wants to connect is kept waiting by the system."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        port: int = server.getsockname()[1]
        waiting = [socket.socket() for _ in range(8)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        yield port
        for one in waiting:
            one.close()


async def test_a_connection_that_is_not_taken_fails_at_connect_in_time(full: int) -> None:
    way = await explore(to(full), None, SHORT)
    assert (way.failure, list(way.took)) == ("connect: no answer", ["dns"])


async def test_an_address_that_takes_no_connection_leaves_time_for_the_next(full: int) -> None:
    async with RawServer(sending(OK)) as server:
        addresses: list[Address] = [(socket.AF_INET, ("127.0.0.1", port)) for port in (full, server.port)]
        way = await gone(4 * SHORT, lambda *_: addresses)
        assert (way.failure, server.connections) == (None, 1)


async def test_an_answer_that_does_not_come_fails_at_the_first_byte_alone() -> None:
    async with RawServer(hang) as server:
        way = await explore(to(server.port), None, SHORT)
    assert (way.failure, list(way.took)) == ("first_byte: no answer", ["dns", "connect"])


async def test_a_first_byte_that_is_late_is_that_step_s_time(clock: list[float]) -> None:
    async def late(connection: Connection) -> None:
        await connection.request()
        clock[0] += 7
        await connection.send(OK)

    async with RawServer(late) as server:
        way = await explore(to(server.port), None, LONG)
    assert (way.took["dns"], way.took["connect"], way.took["first_byte"]) == (0, 0, 7)


@pytest.mark.parametrize(
    ("data", "failure"),
    [
        (b"", "first_byte: the connection was closed without an answer"),
        (b"220 mail.example.com ESMTP\r\n\r\n", "first_byte: the answer is not HTTP"),
        (b"x" * 100_000, "first_byte: the answer is not HTTP"),
    ],
)
async def test_what_is_no_answer_is_named_without_its_text(data: bytes, failure: str) -> None:
    async with RawServer(sending(data) if data else close_read) as server:
        way = await explore(to(server.port), None, LONG)
    assert way.failure == failure


async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    async with RawServer(sending(b"HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n")) as server:
        way = await explore(to(server.port), None, LONG)
        assert way.answer is not None
        assert (way.answer.status, server.connections) == (302, 1)


async def test_a_head_without_end_is_read_to_a_few_kilobytes() -> None:
    head = b"HTTP/1.1 200 OK\r\n" + b"x-filler: " + b"x" * 2 * MOST_BYTES
    async with RawServer(stalling(head)) as server:
        way = await explore(to(server.port), None, LONG)
    assert way.answer is not None
    assert way.answer.status == 200
