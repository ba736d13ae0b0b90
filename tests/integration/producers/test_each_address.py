"""A name with several addresses: whichever takes a connection, however the others behave."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
from ajo_producers.contract.each_address import each_address


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes no connection and refuses none, as of a machine that is switched off."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=0)) as server, closing(socket.socket()) as first:
        first.connect(server.getsockname())  # what the kernel takes for it; the next one gets no answer
        yield server.getsockname()[1]


@pytest.fixture
def open_port() -> Iterator[int]:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield server.getsockname()[1]


REFUSING = 1


async def port_found(monkeypatch: pytest.MonkeyPatch, ports: list[int]) -> int:
    """Where a connection goes to a name that stands for these ports."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in ports]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    transport, _ = await each_address().create_connection(asyncio.Protocol, "db.example.com", 5432)
    transport.close()
    port: int = transport.get_extra_info("peername")[1]
    return port


async def test_the_address_that_takes_a_connection_is_found_whatever_the_others_do(
    monkeypatch: pytest.MonkeyPatch, silent: int, open_port: int
) -> None:
    for ports in ([silent, open_port], [REFUSING, silent, open_port], [open_port, silent], [open_port]):
        assert await asyncio.wait_for(port_found(monkeypatch, ports), 10) == open_port


async def test_the_fault_of_the_first_is_told_where_none_takes_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConnectionRefusedError):
        await port_found(monkeypatch, [REFUSING, REFUSING + 1])
    with pytest.raises(socket.gaierror):
        await port_found(monkeypatch, [])


async def test_an_address_that_holds_on_one_link_is_connected_to_on_that_link(monkeypatch: pytest.MonkeyPatch) -> None:
    """uvloop tells no link of what it found, and asks for none where it connects: it goes by the name alone."""
    tried: list[object] = []

    async def connect(_: socket.socket, place: object) -> None:
        tried.append(place)
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", connect)
    for host, link in (("fe80::1%eth7", 0), ("fe80::1%eth7", 7), ("db.example.com", 7), ("db.example.com", 0)):
        found = [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("fe80::1", 5432, 0, link))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, found=found, **__: found)
        with pytest.raises(ConnectionRefusedError):
            await each_address().create_connection(asyncio.Protocol, host, 5432)
    assert tried == [
        ("fe80::1%eth7", 5432, 0, 0),
        ("fe80::1%eth7", 5432, 0, 7),
        ("fe80::1%7", 5432, 0, 7),
        ("fe80::1", 5432, 0, 0),
    ]


async def test_all_else_is_the_loop_s_own() -> None:
    assert each_address().time() == pytest.approx(asyncio.get_running_loop().time(), abs=10)
