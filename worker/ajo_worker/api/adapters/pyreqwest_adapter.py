"""Attempts through pyreqwest: hyper and rustls, outside the interpreter lock."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import TypeAlias
from urllib.parse import quote

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import BuilderError
from pyreqwest.http import HeaderMap, Url
from pyreqwest.proxy import ProxyBuilder
from pyreqwest.request import StreamRequest

from ajo_worker.api.adapters import tcp
from ajo_worker.api.adapters.exchange import IDLE_SECONDS, OWN_HEADERS, Exchange
from ajo_worker.api.adapters.http1 import first_of_each
from ajo_worker.api.adapters.pyreqwest_failures import causes_of, failure_of
from ajo_worker.api.adapters.wakes import Wake
from ajo_worker.api.answer import Answer, Call, Failure
from ajo_worker.api.tls import certificate_files, tls_context
from ajo_worker.renewal import Renewed
from ajo_worker.settings import Settings
from ajo_worker.settings.proxies import Proxies, proxies

Maker: TypeAlias = Callable[[bool], Client]
"""Makes a client with the certificates of its time; a wary one keeps no connection for another call."""
READ_BYTES = 65_536
"""Bytes of a body that are asked for at once; pyreqwest reserves as many."""

NONE = Proxies({})
LOST_AFTER = 5.0
"""Seconds beyond its time-out after which a call counts as lost inside the library. That should never happen: a worker
that lives on and waits for ever keeps its trigger from everybody. Long enough to spare what a busy loop sees late."""


class PyreqwestAdapter:
    """Sends each call once. A cancelled ``post`` ends at once; its connection is held until the call's time-out."""

    def __init__(
        self,
        client: Client,
        *,
        max_answer_bytes: int,
        lost_after: float = LOST_AFTER,
        makers: Renewed[Maker] | None = None,
        proxies: Proxies = NONE,
    ) -> None:
        self._client: Client | None = client
        self._makers, self._maker = makers, makers.now() if makers else None
        self._wary, self._proxies = False, proxies
        self._most = max_answer_bytes
        self._lost_after = lost_after

    async def post(self, call: Call, *, timeout: float) -> Answer | Failure:
        """Send ``call`` once, and wait ``timeout`` seconds at most for its whole answer. Never raises."""
        exchange, wake = Exchange(timeout), Wake()
        if self._makers is not None and self._makers.now() is not self._maker:
            self._make_anew()
        client = self._client
        if client is None:
            return exchange.failure("internal", nothing_sent=True, detail="the adapter is closed")
        try:
            request = _request(client, call, timeout)
        except Exception as fault:  # noqa: BLE001 - post never raises; nothing was sent, for there is no request
            return exchange.failure("internal", nothing_sent=True, detail=type(fault).__name__)
        proxied = self._proxies.route(call.url).proxy is not None
        try:
            async with asyncio.timeout(timeout + self._lost_after):
                answer = await self._exchange(request, exchange, wake)
        except Exception as fault:  # noqa: BLE001 - post never raises
            return failure_of(fault, exchange, wake.at, proxied=proxied)
        if proxied and answer.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:  # where calls are forwarded
            return replace(exchange, status=None).failure("proxy", nothing_sent=True, detail="status 407", at=wake.at)
        return answer

    async def _exchange(self, request: StreamRequest, exchange: Exchange, wake: Wake) -> Answer:
        response = await wake.watch(request.__aenter__())
        try:
            arrived = wake.at
            headers, body = _headers(response.headers), b""
            exchange.headers_came(response.status, arrived, headers)
            announced, reader = headers.get("content-length"), response.body_reader
            while len(body) <= self._most:  # or a little more; leaving the request then drops the connection
                chunk = await wake.watch(reader.read(min(READ_BYTES, self._most + 1 - len(body))))
                arrived = wake.at or arrived
                if chunk is None:
                    break
                body += bytes(chunk)
                if announced == str(len(body)):
                    break  # whole, without asking once more
            return exchange.answer(headers, body, most=self._most, at=arrived)
        finally:
            await request.__aexit__(None, None, None)

    async def drop_idle(self) -> None:
        """Go on with connections that serve one call each: those that wait close, the others with their calls.

        Never raises. pyreqwest closes no single connection, and can't tell whether a kept one has unread bytes: one
        stray answer ends the keeping for good. A new client takes 25 ms.
        """
        if not self._wary:
            self._wary = True
            self._make_anew()

    def _make_anew(self) -> None:
        if self._client is not None and self._makers is not None:
            self._maker = self._makers.now()
            with suppress(BuilderError, OSError):  # it could be built before; if not now, the calls matter more
                self._client = self._maker(self._wary)

    async def close(self) -> None:
        """Close the idle connections; those of calls under way end with them, at their time-outs at the latest."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()  # this ends the calls; the connections go with the last reference to the client


def pyreqwest_adapter(settings: Settings) -> PyreqwestAdapter:
    """An adapter over one pool of connections, as many as there are calls.

    Redirects, cookies and decompression are off. HTTP/1.1 only: the loss of one connection then makes one call
    ambiguous and not hundreds, and reqwest repeats HTTP/2 calls that a server has given back. What repeats remain are
    harmless: hyper takes a call to another connection only where the first one closed before a byte of it was written
    (``recv_msg`` in src/proto/h1/dispatch.rs of hyper 1), and pyreqwest has no switch for that.

    Raises:
        OSError: ``AJO_CA_FILE`` can't be read, or there are no certificates to trust.
        SettingsError: a proxy can't be used.
    """
    ways = proxies(settings)

    def maker() -> Maker:
        certificates = None
        if settings.ca_file is not None:
            tls_context(settings)  # refuses a file without certificates, which pyreqwest would take
            certificates = settings.ca_file.read_bytes()

        def make(wary: bool) -> Client:
            builder = _builder(settings.connect_timeout)
            # Asked for each connection, and where calls are forwarded (plain HTTP) for each call.
            builder = builder.proxy(ProxyBuilder.custom(partial(_proxy_url, ways))) if ways.any else builder.no_proxy()
            builder = builder if certificates is None else builder.add_root_certificate_pem(certificates)
            return (builder.pool_max_idle_per_host(0) if wary else builder).build()

        return make

    makers = Renewed("certificates", certificate_files(settings), maker)
    try:
        client = makers.now()(False)
    except BuilderError as fault:
        reason = (causes_of(fault) or [""])[-1]
        raise OSError(f"the HTTP client can't be set up, check the system's CA certificates: {reason}") from None
    return PyreqwestAdapter(client, max_answer_bytes=settings.max_answer_bytes, makers=makers, proxies=ways)


def _proxy_url(ways: Proxies, url: Url) -> str | None:
    proxy = ways.route(str(url)).proxy
    if proxy is None:
        return None
    user = "" if proxy.user is None else f"{quote(proxy.user, safe='')}:{quote(proxy.password, safe='')}@"
    return f"http://{user}{proxy}"


def _builder(connect_timeout: float) -> ClientBuilder:
    return (
        ClientBuilder()
        .http1_only()
        .follow_redirects(enable=False)
        .referer(enable=False)
        .default_cookie_store(enable=False)
        .gzip(enable=False)
        .brotli(enable=False)
        .zstd(enable=False)
        .deflate(enable=False)
        .connect_timeout(timedelta(seconds=connect_timeout))
        .pool_idle_timeout(timedelta(seconds=IDLE_SECONDS))
        .tcp_nodelay(enabled=True)
        .tcp_keepalive(timedelta(seconds=tcp.KEEPALIVE.quiet))
        .tcp_keepalive_interval(timedelta(seconds=tcp.KEEPALIVE.every))
        .tcp_keepalive_retries(tcp.KEEPALIVE.times)
        .tcp_user_timeout(timedelta(seconds=tcp.KEEPALIVE.seconds))
    )


def _request(client: Client, call: Call, timeout: float) -> StreamRequest:
    """A request whose answer is handed over with its headers (limit 0), and not once its body is here.

    That costs 0.03 ms more than taking the answer whole, but only so are the status of a broken answer and the time to
    its headers known, and a body's size bounded.
    """
    builder = client.post(call.url).headers({**call.headers, **OWN_HEADERS}).body_bytes(call.body)
    return builder.timeout(timedelta(seconds=timeout)).streamed_read_buffer_limit(0).build_streamed()


def _headers(found: HeaderMap) -> dict[str, str]:
    """Names in lower case; what isn't ASCII is left out, for pyreqwest can't read it."""
    try:
        return first_of_each([*found.items()])
    except ValueError:
        return dict(pair for name in {*found} for pair in _readable(found, name))


def _readable(found: HeaderMap, name: str) -> list[tuple[str, str]]:
    try:
        return [(name, found[name])]
    except ValueError:
        return []
