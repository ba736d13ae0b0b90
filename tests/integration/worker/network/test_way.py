"""The way to an endpoint over real sockets: each step is measured apart, and the one that fails is named."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Event

import pytest
import trustme
from ajo_worker.network import steps
from ajo_worker.network.destination import Destination
from ajo_worker.network.steps import MOST_BYTES, Address
from ajo_worker.network.way import Way, explore

from tests.support.programs import Simulator
from tests.support.raw_behaviours import close_read, hang, sending, silent, stalling
from tests.support.raw_server import Connection, RawServer

SHORT, LONG = 0.2, 30.0
OK = b"HTTP/1.1 200 OK\r\nDate: Mon, 01 Jun 2026 10:00:00 GMT\r\ncontent-length: 0\r\n\r\n"


def to(port: int, *, secure: bool = False, host: str = "127.0.0.1") -> Destination:
    return Destination(f"{host}:{port}", host, port, secure, "/ajo/im/health", headers={"x-api-key": "hidden"})


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def client_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock that steps are measured by; it goes on only where a test says so."""
    now = [0.0]
    for module in ("steps", "way"):
        monkeypatch.setattr(f"ajo_worker.network.{module}.monotonic", lambda: now[0])
    return now


async def test_every_step_of_an_open_way_is_measured(server_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> None:
    async with RawServer(sending(OK), server_tls) as server:
        way = await explore(to(server.port, secure=True), client_tls, LONG)
        assert list(way.took) == ["dns", "connect", "tls", "first_byte"]
        assert all(seconds >= 0 for seconds in way.took.values())
        assert (way.address, way.failure) == ("127.0.0.1", None)
        assert way.answer is not None
        assert (way.answer.status, way.answer.date) == (200, "Mon, 01 Jun 2026 10:00:00 GMT")
        assert way.certificate_expires_at is not None
        assert server.connections == 1


async def test_nothing_is_sent_but_a_request_without_credentials(client_tls: ssl.SSLContext) -> None:
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
        way = await gone(2.0, lambda *_: addresses)
        assert (way.failure, server.connections) == (None, 1)


async def test_a_handshake_that_hangs_fails_at_tls(client_tls: ssl.SSLContext) -> None:
    async with RawServer(silent) as server:
        way = await explore(to(server.port, secure=True), client_tls, SHORT)
    assert (way.failure, list(way.took)) == ("tls: no answer", ["dns", "connect"])


async def test_a_handshake_that_is_slow_is_not_the_api_s_time(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    shake = steps.shake_hands

    def slow(*arguments: object) -> ssl.SSLSocket:
        clock[0] += 7
        return shake(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("ajo_worker.network.way.shake_hands", slow)
    async with RawServer(sending(OK), server_tls) as server:
        way = await explore(to(server.port, secure=True), client_tls, LONG)
    assert (way.took["connect"], way.took["tls"], way.took["first_byte"]) == (0, 7, 0)


async def test_a_port_without_tls_fails_at_tls(client_tls: ssl.SSLContext) -> None:
    async with RawServer(sending(OK)) as server:
        way = await explore(to(server.port, secure=True), client_tls, SHORT)
    assert way.failed == "tls"


async def test_an_unknown_authority_fails_at_tls(server_tls: ssl.SSLContext) -> None:
    async with RawServer(sending(OK), server_tls) as server:
        way = await explore(to(server.port, secure=True), ssl.create_default_context(), LONG)
    assert (way.failure, way.certificate_expires_at) == ("tls: unable to get local issuer certificate", None)
    assert not server.requests


@pytest.mark.parametrize(("certificate", "told"), [("expired", "has expired"), ("wrong-host", "mismatch")])
async def test_a_certificate_that_does_not_hold_fails_at_tls(
    simulator: Callable[..., Simulator], tmp_path: Path, certificate: str, told: str
) -> None:
    file = tmp_path / "ca.pem"
    api = await asyncio.to_thread(simulator, None, "--tls", "--certificate", certificate, "--ca-out", str(file))
    context = ssl.create_default_context(cafile=str(file))
    way = await explore(to(int(api.url.rpartition(":")[2]), secure=True), context, LONG)
    assert way.failed == "tls"
    assert told in str(way.failure)


async def test_without_authorities_the_way_ends_before_tls_and_nothing_is_said() -> None:
    async with RawServer(sending(OK)) as server:
        way = await explore(to(server.port, secure=True), None, LONG)
    assert (way.failure, way.answer, list(way.took)) == (None, None, ["dns", "connect"])
    assert not server.requests


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
