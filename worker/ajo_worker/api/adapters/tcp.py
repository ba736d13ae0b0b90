"""TCP as attempts use it: connecting, and finding out about a dead peer."""

import asyncio
import os
import socket
import time
from collections.abc import Callable
from typing import Any, Final

QUIET_SECONDS: Final = 10
"""After so many seconds without a packet TCP asks whether the other side is there. Its kernel answers and not Adobe: a
call that is thought about for 55 s is not disturbed."""

ASK_EVERY_SECONDS: Final = 5
ASK_TIMES: Final = 4

DEAD_AFTER_SECONDS: Final = QUIET_SECONDS + ASK_EVERY_SECONDS * ASK_TIMES
"""A peer that has acknowledged nothing for so long is dead, whether something was sent to it or it was asked."""

OPTIONS: Final = [
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *(
        (socket.IPPROTO_TCP, getattr(socket, name), value)
        for name, value in (
            ("TCP_KEEPIDLE", QUIET_SECONDS),
            ("TCP_KEEPINTVL", ASK_EVERY_SECONDS),
            ("TCP_KEEPCNT", ASK_TIMES),
            ("TCP_USER_TIMEOUT", DEAD_AFTER_SECONDS * 1000),
        )
        if hasattr(socket, name)  # macOS has not all of them
    ),
]
"""For ``setsockopt``."""


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
            for option in OPTIONS:
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
