"""A server for HTTP clients, low enough to break every rule of HTTP; it counts the requests that it was sent."""

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from tests.support.waiting import DEADLINE_SECONDS

POLL_SECONDS = 0.01
BACKLOG = 4096


class Connection:
    """One accepted connection, as a behaviour sees it."""

    def __init__(self, server: "RawServer", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server = server
        self.reader = reader
        self.writer = writer

    async def request(self) -> bytes:
        """Read one whole request, and count it."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        request = head + await self.reader.readexactly(length)
        self.server.requests.append(request)
        return request

    async def send(self, data: bytes) -> None:
        """Send bytes, and count them once they are on their way."""
        self.writer.write(data)
        await self.writer.drain()
        self.server.sent += len(data)

    async def until_closed(self) -> None:
        """Wait until the client closes the connection; what it sends until then is thrown away."""
        while await self.reader.read(65_536):
            pass

    def reset(self) -> None:
        """Cut the connection with RST instead of FIN."""
        connection = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Behaviour = Callable[[Connection], Awaitable[None]]
"""What a server does with a connection; the connection is closed when it returns."""


class RawServer:
    """A server on a free port of 127.0.0.1; an asynchronous context manager."""

    def __init__(self, behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.open = 0
        self.sent = 0
        self.release = asyncio.Event()
        self.port = 0
        self._behaviour, self._tls = behaviour, tls
        self._serving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls, backlog=BACKLOG)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    @property
    def url(self) -> str:
        """The address of an endpoint, with a secret in its query, as no message may show it."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/executions?key=hidden-key"

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until ``condition`` holds."""
        deadline = asyncio.get_running_loop().time() + DEADLINE_SECONDS
        while not condition():
            assert asyncio.get_running_loop().time() < deadline, f"not within {DEADLINE_SECONDS:g} s: {what}"
            await asyncio.sleep(POLL_SECONDS)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        task = asyncio.create_task(self._serve(Connection(self, reader, writer)))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, connection: Connection) -> None:
        try:
            with suppress(OSError, asyncio.IncompleteReadError):  # the client is gone, which is its right
                await self._behaviour(connection)
        finally:
            self.open -= 1
            connection.writer.close()
