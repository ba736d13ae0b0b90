"""httpx2 through a proxy: a tunnel of our own under httpcore's connections.

httpx2's own way sends the request for the tunnel like any other, and forwards calls to plain endpoints: neither shows
whether a call of ours was sent.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpcore2
import httpx2
from httpcore2 import AnyIOBackend

from ajo_worker.api.adapters.system_words import words_of
from ajo_worker.api.tunnel import ProxyFailed, Tunnel, tunnel_request
from ajo_worker.settings.proxies import Proxies, Proxy

READ_BYTES = 65_536


class _Tunnels(httpcore2.AsyncNetworkBackend):
    """Makes each connection through ``proxy``."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy, self._direct = proxy, AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """A tunnel to an endpoint, within ``timeout`` seconds."""
        until = None if timeout is None else time.monotonic() + timeout
        try:
            stream = await self._direct.connect_tcp(
                self._proxy.host, self._proxy.port, timeout, local_address, socket_options
            )
            try:
                await self._ask(stream, host, port, until)
            except BaseException:
                await stream.aclose()
                raise
        except (OSError, httpcore2.NetworkError, httpcore2.TimeoutException, UnicodeError) as fault:
            raise httpcore2.ProxyError(_words_of(fault)) from fault
        return stream

    async def sleep(self, seconds: float) -> None:
        """Asked for by httpcore between tries to connect, of which there is one."""
        await asyncio.sleep(seconds)

    async def _ask(self, stream: httpcore2.AsyncNetworkStream, host: str, port: int, until: float | None) -> None:
        def left() -> float | None:
            return None if until is None else max(until - time.monotonic(), 0.001)

        await stream.write(tunnel_request(host, port, self._proxy), left())
        tunnel = Tunnel()
        while not tunnel.stands:
            if not (data := await stream.read(READ_BYTES, left())):
                raise ProxyFailed("it closed the connection")
            tunnel.feed(data)


class ThroughProxies(httpx2.AsyncBaseTransport):
    """One transport for each scheme and proxy that calls go through, as ``make`` makes them for a direct way."""

    def __init__(self, proxies: Proxies, make: Callable[[], httpx2.AsyncHTTPTransport]) -> None:
        self._proxies, self._make = proxies, make
        self._transports: dict[Proxy | None, httpx2.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send it the way that its URL's host is reached."""
        proxy = self._proxies.route(str(request.url)).proxy
        if (transport := self._transports.get(proxy)) is None:
            transport = self._transports[proxy] = self._make()
            if proxy is not None:
                # httpx2 has no argument for it; the conformance suite would see a version without this.
                transport._pool._network_backend = _Tunnels(proxy)
        return await transport.handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections."""
        for transport in self._transports.values():
            await transport.aclose()


def _words_of(fault: BaseException) -> str:
    """Why there is no tunnel, without anything that the proxy has said."""
    if isinstance(fault, httpcore2.TimeoutException | TimeoutError):
        return "no answer in time"
    if isinstance(fault, UnicodeError):
        return "the endpoint's host is no name"
    seen: BaseException | None = fault
    while seen is not None:
        if isinstance(seen, OSError) and (words := words_of(seen)):
            return words
        seen = seen.__cause__ or seen.__context__
    return "the connection broke"
