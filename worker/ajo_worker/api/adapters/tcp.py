"""TCP as attempts use it: connecting, and finding out about a dead peer."""

import asyncio
import os
import socket
import time
from collections.abc import Callable
from typing import Any, NamedTuple


class Patience(NamedTuple):
    """When TCP gives a connection up, in whole seconds: it asks after ``quiet`` seconds without a packet, and then
    ``times`` times ``every`` so many seconds.
    """

    quiet: int
    every: int
    times: int

    @property
    def seconds(self) -> int:
        """A peer that has acknowledged nothing for so long is dead, whether something was sent or it was asked."""
        return self.quiet + self.every * self.times


PATIENCE = Patience(quiet=10, every=5, times=4)
"""30 s. The other side's kernel answers and not Adobe: a call that is thought about for 55 s is not disturbed."""


def options() -> list[tuple[int, int, int]]:
    """For ``setsockopt``."""
    patience = {
        "TCP_KEEPIDLE": PATIENCE.quiet,
        "TCP_KEEPINTVL": PATIENCE.every,
        "TCP_KEEPCNT": PATIENCE.times,
        "TCP_USER_TIMEOUT": PATIENCE.seconds * 1000,
    }
    return [
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        *(
            (socket.IPPROTO_TCP, getattr(socket, name), value)
            for name, value in patience.items()
            if hasattr(socket, name)  # macOS has not all of them
        ),
    ]


async def connect(host: str, port: int, *, timeout: float, lagged: Callable[[float], None]) -> socket.socket:
    """A connection to the first address of ``host`` that takes one; each gets its share of what is left of ``timeout``.

    ``lagged`` is told for how many seconds the name's addresses waited for a thread, or for our loop.

    Raises:
        socket.gaierror: nobody knows the name.
        TimeoutError: nobody answered in time.
        OSError: it can't be reached.
    """
    loop = asyncio.get_running_loop()
    asked = time.monotonic()
    until = loop.time() + timeout
    async with asyncio.timeout_at(until):
        found, took = await loop.run_in_executor(None, _addresses, host, port)
    lagged(time.monotonic() - asked - took)
    for number, (family, kind, protocol, _, address) in enumerate(found):
        connection = socket.socket(family, kind, protocol)
        try:
            connection.setblocking(False)
            for option in options():
                connection.setsockopt(*option)
            async with asyncio.timeout((until - loop.time()) / (len(found) - number)):
                await _connected(connection, address)
        except BaseException as fault:
            connection.close()
            if number == len(found) - 1 or not isinstance(fault, OSError):
                raise
        else:
            return connection
    raise socket.gaierror(socket.EAI_NONAME, "the name has no address")


async def ready(connection: socket.socket, *, to_write: bool = False) -> None:
    """Wait until there is something to read, or room to write. uvloop's own ways take several turns of the loop."""
    loop = asyncio.get_running_loop()
    add, remove = (loop.add_writer, loop.remove_writer) if to_write else (loop.add_reader, loop.remove_reader)
    is_ready = asyncio.Event()
    add(connection, is_ready.set)
    try:
        await is_ready.wait()
    finally:
        remove(connection)


async def _connected(connection: socket.socket, address: Any) -> None:  # noqa: ANN401 - its form is its family's
    try:
        connection.connect(address)
    except BlockingIOError:
        await ready(connection, to_write=True)
        if error := connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(error, os.strerror(error)) from None


def _addresses(host: str, port: int) -> tuple[list[Any], float]:
    """What the system knows of a name, and how many seconds it took."""
    asked = time.monotonic()
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM), time.monotonic() - asked
