"""One connection of the direct adapter: it carries one call at a time, and reads and writes as the kernel lets it."""

import asyncio
import socket
import time

from ajo_worker.api.adapters.arrival import receive, unacknowledged
from ajo_worker.api.adapters.exchange import Exchange, age_limit
from ajo_worker.api.adapters.http1 import NotHttp, Reading
from ajo_worker.api.adapters.tls_layer import READ_BYTES, TlsLayer


class Connection:
    """A connection that stands, over TLS or plain."""

    __slots__ = (
        "_exchange",
        "_loop",
        "_reading",
        "_retired",
        "_sent",
        "_socket",
        "_tls",
        "_unsent",
        "_waiter",
        "_writing",
        "broke_at",
        "closed",
        "used_until",
    )

    def __init__(self, connected: socket.socket, tls: TlsLayer | None) -> None:
        self._socket, self._tls = connected, tls
        self._loop = asyncio.get_running_loop()
        self._unsent, self._writing = b"", False
        self._sent = 0
        self._exchange: Exchange | None = None
        self._reading: Reading | None = None
        self._waiter: asyncio.Future[float] | None = None
        self._retired = False
        self.closed, self.used_until = False, time.monotonic() + age_limit()
        self.broke_at: float | None = None
        self._loop.add_reader(connected, self._read)

    async def call(self, request: bytes, exchange: Exchange, reading: Reading) -> float:
        """Send a request and fill ``reading`` with its answer; returns when that came (monotonic).

        ``broke_at`` is when it broke, as far as the kernel tells.

        It ends at the exchange's deadline; what has arrived by then counts, however late our loop comes to it.

        Raises:
            TimeoutError: it took too long.
            NotHttp: what came is no answer.
            EOFError: the other side closed the connection before the answer's end.
            OSError: the connection broke.
        """
        self._exchange, self._reading, self._waiter = exchange, reading, self._loop.create_future()
        self._sent = 0
        late = self._loop.call_later(exchange.left(), self._too_late)
        try:
            self._send(request)
            return await self._waiter
        finally:
            late.cancel()
            if self._retired or self._unsent or not (reading.whole and reading.reusable):
                self.close()
            self._exchange = self._reading = self._waiter = None

    def silent(self) -> bool:
        """Whether nothing has come since the last answer: only then another call may use it. It is closed otherwise."""
        while not self.closed and self._read():
            pass
        return not self.closed

    def retire(self) -> None:
        """The call under way is its last."""
        self._retired = True

    def close(self) -> None:
        """Close it; a call under way fails."""
        if not self.closed:
            self.closed = True
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._socket.close()
            self._failed(ConnectionAbortedError())

    def _send(self, data: bytes) -> None:
        if self._tls is not None:
            self._tls.encrypt(data)
            data = self._tls.to_send()
        self._unsent += data
        self._write()

    def _write(self) -> None:
        """Hand over what the kernel takes. Where that fails, an answer may lie there all the same: the reader looks."""
        try:
            sent = self._socket.send(self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._stop_writing()
            while not self.closed and self._read():
                pass
            return
        self._sent += sent
        self._unsent = self._unsent[sent:]
        if not self._unsent:
            self._stop_writing()
        elif not self._writing:
            self._writing = True
            self._loop.add_writer(self._socket, self._write)

    def _stop_writing(self) -> None:
        if self._writing:
            self._writing = False
            self._loop.remove_writer(self._socket)

    def _read(self) -> bool:
        """Read once; whether there was something."""
        try:
            data, came = receive(self._socket, READ_BYTES)
        except BlockingIOError:
            return False
        except OSError as fault:
            self.broke_at = None
            self._broke(fault)
            return True
        self.broke_at = came
        try:
            self._took(data, came)
        except Exception as fault:  # noqa: BLE001 - whatever it is, the call ends with it
            self._broke(fault)
        return True

    def _took(self, data: bytes, came: float) -> None:
        ended, properly = not data, self._tls is None
        if self._tls is not None:
            self._tls.came(data)
            data = self._tls.decrypt()
            ended, properly = ended or self._tls.closed, self._tls.closed
            if own := self._tls.to_send():  # TLS's own answers
                self._unsent += own
                self._write()
        if self._exchange is None or self._reading is None:
            if data or ended:  # nobody asked for it, or it is over
                self.close()
        else:
            self._answered(self._exchange, self._reading, data, came)
            if ended and not self._reading.whole:
                self._reading.ended(properly=properly)
            if self._reading.whole and self._waiter is not None and not self._waiter.done():
                self._waiter.set_result(came)

    def _answered(self, exchange: Exchange, reading: Reading, data: bytes, came: float) -> None:
        if reading.whole:  # its task has not had its turn yet
            reading.reusable = reading.reusable and not data
            return
        known = reading.status
        if data and known is None and unacknowledged(self._socket) >= self._sent:
            raise NotHttp("it came before the request was there")
        try:
            reading.feed(data)
        finally:  # of a broken body the status is known all the same
            if reading.status is not None and known is None:
                exchange.headers_came(reading.status, came)

    def _too_late(self) -> None:
        while not self.closed and self._waiter is not None and not self._waiter.done():
            if not self._read():
                self.broke_at = None
                self._failed(TimeoutError())

    def _broke(self, fault: Exception) -> None:
        self._failed(fault)
        self.close()

    def _failed(self, fault: Exception) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(fault)
