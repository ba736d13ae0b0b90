"""Attempts through httpx2: for where pyreqwest can't be had, or is in doubt."""

import asyncio
import socket
import time
from contextlib import aclosing
from typing import Any

import httpx2

from ajo_worker.api.adapters.arrival import last_arrival, last_sent
from ajo_worker.api.adapters.exchange import IDLE_SECONDS, OWN_HEADERS, Exchange
from ajo_worker.api.adapters.http1 import first_of_each
from ajo_worker.api.adapters.httpx_connections import Connections
from ajo_worker.api.adapters.httpx_failures import failure_of
from ajo_worker.api.adapters.tcp import options
from ajo_worker.api.adapters.tunnels import ThroughProxies
from ajo_worker.api.answer import Answer, Call, Failure
from ajo_worker.api.tls import tls_context
from ajo_worker.settings import Settings
from ajo_worker.settings.proxies import proxies

CONNECTS = "connection.connect_tcp.started"
SENDS = frozenset({"http11.send_request_headers.started", "http11.send_request_body.started"})
SENT = "http11.send_request_body.complete"


class Trace:
    """Keeps the last event of httpcore's trace (its request extension ``trace``), and sees when the call really begins:
    with connecting, or, on a kept connection, when the last of the request goes out.
    """

    __slots__ = ("_connected", "_exchange", "_sent", "last_event")

    def __init__(self, exchange: Exchange) -> None:
        self.last_event = ""
        self._connected, self._exchange, self._sent = False, exchange, exchange.began

    async def __call__(self, event: str, _: Any) -> None:  # noqa: ANN401 - what httpcore tells of the event, unread
        """Told by httpcore."""
        self.last_event = event
        if event == SENT:
            self._sent = time.monotonic()
        elif event == CONNECTS or (event in SENDS and not self._connected):
            self._connected = event == CONNECTS
            self._exchange.begins()

    def answered(self, connection: socket.socket | None) -> None:
        """The headers are here: the kernel knows when the request went out, between its start and its end in the trace.

        That is not asked after a fresh connection, and a repetition by TCP, however late, is no lag of ours.
        """
        if not self._connected:
            self._exchange.begins(min(last_sent(connection), self._sent))


class HttpxAdapter:
    """Sends each call once."""

    def __init__(self, connections: Connections, *, connect_timeout: float, max_answer_bytes: int) -> None:
        self._connections: Connections | None = connections
        self._timeouts = {"connect": connect_timeout, "pool": None, "read": None, "write": None}
        self._most = max_answer_bytes

    async def post(self, call: Call, *, timeout: float) -> Answer | Failure:
        """Send ``call`` once, and wait ``timeout`` seconds at most for its whole answer. Never raises."""
        exchange = Exchange(timeout)
        progress = Trace(exchange)
        if self._connections is None:
            return exchange.failure("internal", nothing_sent=True, detail="the adapter is closed")
        try:
            request = self._request(call, progress)
        except Exception as fault:  # noqa: BLE001 - post never raises; nothing was sent, for there is no request
            return exchange.failure("internal", nothing_sent=True, detail=type(fault).__name__)
        try:
            async with asyncio.timeout(timeout):
                return await self._exchange(self._connections, request, exchange, progress)
        except Exception as fault:  # noqa: BLE001 - post never raises
            return failure_of(fault, exchange, progress.last_event)

    async def drop_idle(self) -> None:
        """Close the connections that wait for their next call. Never raises."""
        if self._connections is not None:
            await self._connections.drop_idle()

    async def close(self) -> None:
        """Close all connections; calls under way fail."""
        connections, self._connections = self._connections, None
        if connections is not None:
            await connections.close()

    async def _exchange(
        self, connections: Connections, request: httpx2.Request, exchange: Exchange, progress: Trace
    ) -> Answer:
        transport = await connections.take()
        try:
            response = await transport.handle_async_request(request)
            async with aclosing(response):  # closes the connection where the body is not read to its end
                connection = response.extensions["network_stream"].get_extra_info("socket")
                progress.answered(connection)
                headers = _headers(response.headers)
                exchange.headers_came(response.status_code, last_arrival(connection), headers)
                body = await _body(response, self._most)
                arrived = last_arrival(connection)
                answer = exchange.answer(headers, body, most=self._most, at=arrived)
            if _more_came(response):
                await transport.aclose()
            return answer
        finally:
            connections.give_back(transport)

    def _request(self, call: Call, progress: Trace) -> httpx2.Request:
        headers, extensions = {**call.headers, **OWN_HEADERS}, {"timeout": self._timeouts, "trace": progress}
        return httpx2.Request("POST", call.url, headers=headers, content=call.body, extensions=extensions)


def httpx_adapter(settings: Settings) -> HttpxAdapter:
    """An adapter with as many connections as there are calls.

    Transports and no client: that would follow redirects, keep cookies and log URLs.
    HTTP/1.1 only: the loss of one connection then makes one call ambiguous and not hundreds. httpcore repeats
    connecting (``retries``, here 0) and nothing else: it takes a call to another connection only before a byte of it
    was written.

    Raises:
        OSError: ``AJO_CA_FILE`` can't be read, or holds no certificates.
        SettingsError: a proxy can't be used.
    """
    tls, ways = tls_context(settings), proxies(settings)
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=IDLE_SECONDS)

    def direct() -> httpx2.AsyncHTTPTransport:
        return httpx2.AsyncHTTPTransport(
            verify=tls, trust_env=False, http2=False, retries=0, limits=limits, socket_options=options()
        )

    def transport() -> httpx2.AsyncBaseTransport:
        return ThroughProxies(ways, direct) if ways.any else direct()

    return HttpxAdapter(
        Connections(transport), connect_timeout=settings.connect_timeout, max_answer_bytes=settings.max_answer_bytes
    )


def _headers(found: httpx2.Headers) -> dict[str, str]:
    """Names in lower case."""
    return first_of_each((name.decode("ascii").lower(), value.decode("latin-1")) for name, value in found.raw)


def _more_came(response: httpx2.Response) -> bool:
    """Whether bytes came after the answer: httpcore keeps them, and would take them for the answer to the next call."""
    stream: Any = response.stream
    try:
        return bool(stream._httpcore_stream._stream._connection._h11_state.trailing_data[0])
    except AttributeError:  # the inside of another version: then no connection is used twice
        return True


async def _body(response: httpx2.Response, most: int) -> bytes:
    """The body as it came, or a little more than ``most`` bytes of it."""
    body = b""
    async with aclosing(response.aiter_raw()) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > most:
                break
    return body
