"""The way to an endpoint with TLS: the handshake is a step of its own, and the certificate must hold."""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from ajo_worker.network import steps
from ajo_worker.network.way import explore

from tests.integration.worker.network.ways import LONG, OK, SHORT, to
from tests.support.programs import Simulator
from tests.support.raw_behaviours import sending, silent
from tests.support.raw_server import RawServer


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
        return shake(*arguments)  # type: ignore[arg-type] # what it was given, whatever that is

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
