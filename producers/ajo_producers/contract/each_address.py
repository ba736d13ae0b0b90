"""A name with several addresses: PostgreSQL's is connected to at whichever of them takes a connection first."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from ssl import SSLContext
from typing import Any, TypeVar, cast

Made = TypeVar("Made", bound=asyncio.BaseProtocol)

HEAD_START = 0.25
"""Seconds that an address has for itself before the next one is tried beside it (RFC 8305, "Happy Eyeballs")."""


def each_address() -> asyncio.AbstractEventLoop:
    """The running loop as asyncpg is to be given it, which leaves to it where a name leads to.

    A loop by itself waits for the first address for as long as the kernel does: where that is switched off, the others
    were never tried.
    """
    return cast(asyncio.AbstractEventLoop, _EachAddress(asyncio.get_running_loop()))


class _EachAddress:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the loop's own
        return getattr(self._loop, name)

    async def create_connection(
        self, make: Callable[[], Made], host: str, port: int, *, ssl: SSLContext | None = None
    ) -> tuple[asyncio.Transport, Made]:
        found = await self._loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        connected = await _first(self._loop, [_on_its_link(address, host) for address in found])
        name = host if ssl else None
        return await self._loop.create_connection(make, sock=connected, ssl=ssl, server_hostname=name)


def _on_its_link(address: Any, host: str) -> Any:  # noqa: ANN401 - as getaddrinfo has it
    """An address that holds on one link alone, with the link in its name: uvloop loses what tells it otherwise."""
    *kind, place = address
    if kind[0] == socket.AF_INET6 and (link := host.partition("%")[2] or place[3]):
        place = (f"{place[0]}%{link}", *place[1:])
    return (*kind, place)


async def _first(loop: asyncio.AbstractEventLoop, addresses: Sequence[Any]) -> socket.socket:
    """A connection to the address that takes one first.

    Raises:
        OSError: none does; the fault is that of the first.
    """
    rest, trying, faults = list(addresses), dict[asyncio.Task[socket.socket], int](), dict[int, BaseException]()
    try:
        while rest or trying:
            if rest:
                trying[loop.create_task(_connected(loop, rest.pop(0)))] = len(addresses) - len(rest)
            within = HEAD_START if rest else None
            done, _ = await asyncio.wait(trying, timeout=within, return_when=asyncio.FIRST_COMPLETED)
            for task in sorted(done, key=trying.__getitem__):
                if (fault := task.exception()) is None:
                    del trying[task]
                    return task.result()
                faults[trying.pop(task)] = fault
    finally:
        for task in trying:
            task.cancel()
            task.add_done_callback(_close)
    raise faults[min(faults)] if faults else socket.gaierror(socket.EAI_NONAME, "the name has no address")


async def _connected(loop: asyncio.AbstractEventLoop, address: Any) -> socket.socket:  # noqa: ANN401 - as getaddrinfo has it
    family, kind, protocol, _, place = address
    connection = socket.socket(family, kind, protocol)
    try:
        connection.setblocking(False)
        await loop.sock_connect(connection, place)
    except BaseException:
        connection.close()
        raise
    return connection


def _close(task: "asyncio.Task[socket.socket]") -> None:
    """One that came after all, beside the first."""
    with suppress(asyncio.CancelledError, OSError):
        task.result().close()
