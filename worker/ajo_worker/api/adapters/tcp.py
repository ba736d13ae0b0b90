"""TCP as attempts use it: connecting, and finding out about a dead peer."""

import asyncio
import errno
import os
import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ajo_producers.contract.keepalive import Keepalive

from ajo_worker.api.adapters.arrival import last_acknowledged, stamp_arrivals

KEEPALIVE = Keepalive(quiet=10, every=5, times=4)
"""30 s. The other side's kernel answers and not Adobe: a call that is thought about for 55 s is not disturbed."""


def options() -> list[tuple[int, int, int]]:
    """For ``setsockopt``."""
    return [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), *KEEPALIVE.options()]


class Deadline:
    """When connecting is given up. What our own loop adds is added to it, and ``told``: it is nobody else's time."""

    def __init__(self, seconds: float, told: Callable[[float], None]) -> None:
        self._until, self._told = time.monotonic() + seconds, told

    def left(self) -> float:
        """Seconds until then."""
        return max(self._until - time.monotonic(), 0)

    def lagged(self, seconds: float) -> None:
        """Our own loop has added so many."""
        self._until += max(seconds, 0)
        self._told(max(seconds, 0))


async def connect(host: str, port: int, deadline: Deadline) -> socket.socket:
    """A connection to the first address of ``host`` that takes one; each gets its share of the time that is left.

    Raises:
        socket.gaierror: nobody knows the name.
        TimeoutError: nobody answered in time.
        OSError: it can't be reached, or this machine has no file or thread left for it.
    """
    found = await _addresses(host, port, deadline)
    for number, (family, kind, protocol, _, address) in enumerate(found):
        connection = socket.socket(family, kind, protocol)
        try:
            connection.setblocking(False)
            for option in options():
                connection.setsockopt(*option)
            stamp_arrivals(connection)
            await _connected(connection, address, deadline.left() / (len(found) - number))
        except BaseException as fault:
            connection.close()
            if number == len(found) - 1 or not isinstance(fault, OSError):
                raise
        else:
            deadline.lagged(time.monotonic() - last_acknowledged(connection))
            return connection
    raise socket.gaierror(socket.EAI_NONAME, "the name has no address")


async def ready(connection: socket.socket, within: float, *, to_write: bool = False) -> None:
    """Wait until there is something to read, or room to write. uvloop's own ways take several turns of the loop.

    Raises:
        TimeoutError: there was none within so many seconds, however late our loop comes to see that.
    """
    loop = asyncio.get_running_loop()
    add, remove = (loop.add_writer, loop.remove_writer) if to_write else (loop.add_reader, loop.remove_reader)
    is_ready = asyncio.Event()
    add(connection, is_ready.set)
    try:
        async with asyncio.timeout(within):
            await is_ready.wait()
    except TimeoutError:
        looking = select.poll()
        looking.register(connection, select.POLLOUT if to_write else select.POLLIN)
        if not looking.poll(0):
            raise
    finally:
        remove(connection)


async def _connected(connection: socket.socket, address: Any, within: float) -> None:  # noqa: ANN401 - its family's form
    try:
        connection.connect(address)
    except BlockingIOError:
        await ready(connection, within, to_write=True)
        if error := connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(error, os.strerror(error)) from None


async def _addresses(host: str, port: int, deadline: Deadline) -> list[Any]:
    with suppress(socket.gaierror):
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)  # asks nobody
    asked, answers = time.monotonic(), list[tuple[list[Any], float]]()
    try:
        async with asyncio.timeout(deadline.left()):
            await asyncio.get_running_loop().run_in_executor(None, _ask, host, port, answers)
    except TimeoutError:
        if not answers:
            raise
    except socket.gaierror:
        socket.socket().close()  # without a file left nobody can be asked, which is not how the fault is told
        raise
    except RuntimeError as fault:
        raise OSError(errno.ENOMEM, "there is no thread to ask on") from fault
    found, took = answers[0]
    deadline.lagged(time.monotonic() - asked - took)  # it waited for a thread, or for our loop
    return found


def _ask(host: str, port: int, answers: list[tuple[list[Any], float]]) -> None:
    """What the system knows of a name, and how many seconds it took."""
    asked = time.monotonic()
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    answers.append((found, time.monotonic() - asked))
