"""Attempts straight over sockets of our own: what is sent when, and what came when, is known to the kernel's tick."""

import ssl
import time
from collections import Counter, defaultdict
from collections.abc import Callable

from ajo_worker.api.adapters.connecting import NotConnected, open_connection
from ajo_worker.api.adapters.connection import Connection
from ajo_worker.api.adapters.direct_failures import failure_of, unsent
from ajo_worker.api.adapters.exchange import IDLE_SECONDS, OWN_HEADERS, Exchange
from ajo_worker.api.adapters.http1 import Reading
from ajo_worker.api.adapters.http1_request import Origin, origin_of, request_bytes
from ajo_worker.api.answer import Answer, Call, Failure
from ajo_worker.api.tls import tls_context
from ajo_worker.settings import Settings
from ajo_worker.settings.proxies import Proxies, proxies

CLOSED_SOON = 1.0
"""Seconds. Who closes a connection so soon after an answer, and didn't say so in it, has no time-out for idle ones (the
shortest in use are 2 to 5 s): it closes each, and a call that goes out just then fails, and perhaps was processed."""
CLOSED_TIMES, WARY_SECONDS = 3, 30.0
"""After so many in a row each call to that origin has a connection of its own, for so long."""


class DirectAdapter:
    """Sends each call once, on a connection that was silent since its last answer, or on a fresh one."""

    def __init__(
        self,
        tls: ssl.SSLContext,
        *,
        proxies: Proxies,
        connect_timeout: float,
        max_answer_bytes: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tls, self._connect_timeout, self._most = tls, connect_timeout, max_answer_bytes
        self._proxies, self._monotonic = proxies, monotonic
        self._kept: defaultdict[Origin, dict[Connection, float]] = defaultdict(dict)
        self._busy: set[Connection] = set()
        self._closed_soon: Counter[Origin] = Counter()
        self._wary_until: dict[Origin, float] = {}
        self._open = True

    async def post(self, call: Call, *, timeout: float) -> Answer | Failure:
        """Send ``call`` once, and wait ``timeout`` seconds at most for its whole answer. Never raises."""
        exchange = Exchange(timeout)
        if not self._open:
            return exchange.failure("internal", nothing_sent=True, detail="the adapter is closed")
        try:
            origin = origin_of(call.url)
            request = request_bytes(call.url, {**call.headers, **OWN_HEADERS}, call.body)
        except ValueError as fault:  # its text may quote what must not be shown
            return exchange.failure("internal", nothing_sent=True, detail=type(fault).__name__)
        kept_for: float | None = None
        try:
            if (taken := self._take(origin)) is not None:
                connection, kept_for = taken
                exchange.begins()
            else:
                connection = await self._connect(origin, call.url, exchange)
        except NotConnected as fault:
            return unsent(fault, exchange)
        except Exception as fault:  # noqa: BLE001 - post never raises; nothing was sent, for there is no connection
            return exchange.failure("internal", nothing_sent=True, detail=type(fault).__name__)
        if not exchange.left():  # as where this process was frozen meanwhile: nothing may start after its time
            connection.close()
            return exchange.failure("timeout", nothing_sent=True, detail="its time was over before it was sent")
        result = await self._exchange(connection, origin, request, exchange)
        if kept_for is not None:
            if isinstance(result, Answer):
                self._closed_soon[origin] = 0
            elif result.kind == "reset" and kept_for < CLOSED_SOON:
                self._closed(origin)
        return result

    async def drop_idle(self) -> None:
        """Close the connections that wait for their next call; those under way have none after this one."""
        for connection in self._busy:
            connection.retire()
        self._close_kept()

    async def close(self) -> None:
        """Close all connections; calls under way fail."""
        self._open = False
        for connection in [*self._busy]:
            connection.close()
        self._close_kept()

    def _close_kept(self) -> None:
        for kept in self._kept.values():
            for connection in kept:
                connection.close()
        self._kept.clear()

    async def _exchange(
        self, connection: Connection, origin: Origin, request: bytes, exchange: Exchange
    ) -> Answer | Failure:
        reading = Reading(self._most)
        self._busy.add(connection)
        try:
            arrived = await connection.call(request, exchange, reading)
        except Exception as fault:  # noqa: BLE001 - post never raises
            exchange.headers = reading.headers  # as far as they came after the status
            return failure_of(fault, exchange, connection.broke_at, bytes(reading.body[: self._most]))
        finally:
            self._busy.discard(connection)
        if self._monotonic() < self._wary_until.get(origin, 0.0):
            connection.close()
        elif not connection.closed:
            self._kept[origin][connection] = self._monotonic()
        body = bytes(reading.body)
        return exchange.answer(reading.headers, body, most=self._most, at=arrived)

    async def _connect(self, origin: Origin, url: str, exchange: Exchange) -> Connection:
        timeout, proxy = min(self._connect_timeout, exchange.left()), self._proxies.route(url).proxy
        connection = await open_connection(origin, self._tls, exchange, proxy, timeout=timeout)
        if not self._open:
            connection.close()
            raise NotConnected("tls")
        return connection

    def _closed(self, origin: Origin) -> None:
        """The other side closed a connection soon after an answer, without a word: if again and again, none is used
        twice for a while.
        """
        self._closed_soon[origin] += 1
        if self._closed_soon[origin] >= CLOSED_TIMES:
            self._closed_soon[origin] = 0
            self._wary_until[origin] = self._monotonic() + WARY_SECONDS
            for connection in self._kept.pop(origin, {}):
                connection.close()

    def _take(self, origin: Origin) -> tuple[Connection, float] | None:
        """The connection that was used last, of those that are silent, and for how many seconds it was kept; those that
        are too old, or waited too long, are closed.
        """
        kept, now = self._kept[origin], self._monotonic()
        while kept and kept[oldest := next(iter(kept))] < now - IDLE_SECONDS:
            del kept[oldest]
            oldest.close()
        soon = False
        while kept:
            connection, since = kept.popitem()
            if connection.used_until < now:
                connection.close()
            elif connection.silent():
                return connection, now - since
            else:
                soon = soon or now - since < CLOSED_SOON
        if soon:
            self._closed(origin)
        return None


def direct_adapter(settings: Settings) -> DirectAdapter:
    """An adapter with as many connections as there are calls: HTTP/1.1, no redirects or cookies, and no call is ever
    repeated on another connection.

    Raises:
        OSError: ``AJO_CA_FILE`` can't be read, or holds no certificates.
        SettingsError: a proxy can't be used.
    """
    return DirectAdapter(
        tls_context(settings),
        proxies=proxies(settings),
        connect_timeout=settings.connect_timeout,
        max_answer_bytes=settings.max_answer_bytes,
    )
