"""The port and its connections: open, but for the seconds in which a scenario refuses connections."""

import asyncio
import socket
import ssl
import struct
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeAlias

from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage

Handler: TypeAlias = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

BACKLOG = 8192
MOST_BODY = 8_000_000
LOOK_EVERY = 0.01
"""Seconds between looks whether to open or to shut."""
SHUTDOWN_SECONDS = 0.1
RECEIVED = struct.Struct("52xI")
"""Where ``tcpi_last_data_recv`` stands in ``struct tcp_info`` (linux/tcp.h): milliseconds since data came."""


class Door:
    """Brings calls on one port to a handler."""

    def __init__(self, handler: Handler, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self.port = port
        self._handler, self._host, self._tls = handler, host, tls
        self._busy: set[web.RequestHandler] = set()
        # Without aiohttp's application, whose routing would take a quarter of the time of a call.
        self._server = web.Server(self._handle, request_factory=_request, access_log=None)
        self._runner = web.ServerRunner(self._server, shutdown_timeout=SHUTDOWN_SECONDS)
        self._site: web.TCPSite | None = None

    async def open(self) -> None:
        """Listen; port 0 becomes a free one.

        Raises:
            OSError: the port is taken, or the address is not this machine's.
        """
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self.port, ssl_context=self._tls, backlog=BACKLOG)
        try:
            await site.start()
        except BaseException:
            await site.stop()
            raise
        self._site, self.port = site, site.port

    async def shut(self) -> None:
        """Refuse connections. Idle ones are closed, and busy ones after their call."""
        if self._site is not None:
            await self._site.stop()
            self._site = None
        for connection in self._server.connections:
            if connection not in self._busy:
                connection.force_close()

    async def keep(self, is_shut: Callable[[], bool]) -> None:
        """Open and shut as ``is_shut`` says, for good."""
        while True:
            if is_shut():
                if self._site is not None:
                    await self.shut()
            elif self._site is None:
                with suppress(OSError):  # somebody has the port: perhaps not for long
                    await self.open()
            await asyncio.sleep(LOOK_EVERY)

    async def close(self) -> None:
        """Stop listening, and cut what is under way."""
        await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self._busy.add(request.protocol)
        try:
            response = await self._handler(request)
        finally:
            self._busy.discard(request.protocol)
        if self._site is None:
            response.force_close()
        return response


def waited(transport: asyncio.Transport | None) -> float:
    """For how many seconds a call's bytes lay in the socket before this process took them, to the kernel's tick (1 to
    10 ms); 0 where nobody knows it. A server that is slow to take a call is slow.
    """
    connection: socket.socket | None = transport.get_extra_info("socket") if transport is not None else None
    if connection is None or sys.platform != "linux":
        return 0
    try:
        told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, RECEIVED.size)
        return float(RECEIVED.unpack(told)[0]) / 1000
    except (OSError, struct.error):  # it broke meanwhile
        return 0


def _request(
    message: RawRequestMessage,
    payload: StreamReader,
    protocol: web.RequestHandler,
    writer: AbstractStreamWriter,
    task: "asyncio.Task[None]",
) -> web.BaseRequest:
    """What aiohttp makes of a request by default, but for the size of a body."""
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=MOST_BODY)
