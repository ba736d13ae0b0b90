"""The door: who may come in, how long a request may take, and who goes when it gets full."""

import asyncio
import errno
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from ajo_producers.entrance.guests import Guest, Guests, Room, owner_of

AT_ONCE = 100
"""Connections that are taken in one turn of the loop."""
NO_MORE_FILES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
PAUSE = 1.0
"""Seconds until the next is taken where the system has nothing left for it, and nobody waits who could go."""
TELL_EVERY = 60.0
"""Seconds between two reports of those that were sent away."""
FAREWELL = 3.0
"""Seconds that a TLS connection gets for its end."""


@dataclass(frozen=True, slots=True)
class SentAway:
    """Connections that were cut since the last report: why the last one was, how many, and how many are open."""

    why: str
    connections: int
    open: int


@dataclass(frozen=True, slots=True)
class Patience:
    """In seconds. ``head``: until the head of a request is here, TLS included; ``rest``: until the next one begins.

    An answer that is not read has as long as a head.
    """

    head: float
    rest: float


class Entrance:
    """Takes connections from a listening socket, and watches over them; uvicorn closes it as one of its servers."""

    def __init__(
        self,
        listening: socket.socket,
        make: Callable[["Entrance", Guest], "Protocol"],
        tls: Callable[[], ssl.SSLContext] | None,
        room: Room,
        patience: Patience,
        tell: Callable[[SentAway], None],
    ) -> None:
        self._listening, self._make, self._tls, self.patience, self._told = listening, make, tls, patience, tell
        self._loop = asyncio.get_running_loop()
        self.guests = Guests(room)
        self._leave: dict[Guest, Callable[[], object]] = {}
        self._coming: set[asyncio.Task[None]] = set()
        self._sent_away, self._told_at = 0, float("-inf")
        self._open = False

    def open(self) -> None:
        """Begin to take connections."""
        self._listening.setblocking(False)
        self._open = True
        self._loop.add_reader(self._listening, self._take)

    def close(self) -> None:
        """Take no more; those that have not come in yet are dropped. Others end with their requests."""
        if self._open:
            self._open = False
            self._loop.remove_reader(self._listening)
        for task in self._coming:
            task.cancel()

    async def wait_closed(self) -> None:
        """Return when nobody is coming in any more."""
        await asyncio.gather(*self._coming, return_exceptions=True)

    def gone(self, guest: Guest) -> None:
        """Its connection has ended."""
        self.guests.remove(guest)
        self._leave.pop(guest, None)

    def came_in(self, guest: Guest, leave: Callable[[], object]) -> None:
        """Its connection stands, TLS included; ``leave`` cuts it."""
        if guest in self.guests:
            self._leave[guest] = leave
        else:  # it was sent away in this very moment
            leave()

    def send_away(self, guest: Guest, why: str) -> None:
        """Cut its connection."""
        leave = self._leave.get(guest)
        self.gone(guest)
        if leave is not None:
            leave()
            self._tell(why)

    def _take(self) -> None:
        for _ in range(AT_ONCE):
            try:
                connection, address = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as fault:
                if fault.errno not in NO_MORE_FILES:
                    raise
                self._rest_a_while()
                return
            self._welcome(connection, address)

    def _welcome(self, connection: socket.socket, address: Any) -> None:  # noqa: ANN401 - its family's form
        guest = Guest(owner_of(address[0]))
        goes = self.guests.who_goes(guest)
        if goes is not None and goes is not guest:
            self.send_away(goes, "too-many")
        if goes is guest:
            connection.close()
            self._tell("too-many")
            return
        task = self._loop.create_task(self._let_in(connection, guest))
        self.guests.add(guest)
        self._leave[guest] = task.cancel
        self._coming.add(task)
        task.add_done_callback(partial(self._came, connection, guest))

    async def _let_in(self, connection: socket.socket, guest: Guest) -> None:
        connection.setblocking(False)
        times = {"ssl_handshake_timeout": self.patience.head, "ssl_shutdown_timeout": FAREWELL} if self._tls else {}
        make = partial(self._make, self, guest)
        await self._loop.connect_accepted_socket(make, connection, ssl=self._tls() if self._tls else None, **times)

    def _came(self, connection: socket.socket, guest: Guest, task: "asyncio.Task[None]") -> None:
        """Also called if the task was cancelled before it began."""
        self._coming.discard(task)
        if task.cancelled() or task.exception() is not None:  # sent away; no TLS, or none in time
            self.gone(guest)
            connection.close()

    def _rest_a_while(self) -> None:
        """The system has no more files: whoever has waited longest goes, and the next is taken after that."""
        if (goes := self.guests.longest()) is not None:
            self.send_away(goes, "too-few-open-files")
            return
        self._tell("too-few-open-files")
        self._loop.remove_reader(self._listening)
        self._loop.call_later(PAUSE, lambda: self.open() if self._open else None)

    def _tell(self, why: str) -> None:
        self._sent_away += 1
        now = time.monotonic()
        if now - self._told_at >= TELL_EVERY:
            self._told(SentAway(why, self._sent_away, len(self.guests)))
            self._sent_away, self._told_at = 0, now


class Protocol(H11Protocol):
    """uvicorn's, that knows when it waits for a request, and for how long it may."""

    def __init__(self, entrance: Entrance, guest: Guest, **more: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(**more)
        self._entrance, self._guest = entrance, guest
        self._late: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._came = time.monotonic()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # asyncio says BaseTransport, and gives a Transport
        """It stands, TLS included: what is left of the head's time is left."""
        super().connection_made(transport)
        self._entrance.came_in(self._guest, transport.abort)
        self._give(self._entrance.patience.head - (time.monotonic() - self._came))

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._in_hand()
        self._is_read()
        self._entrance.gone(self._guest)
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Called when something came: is that a whole head?"""
        super().handle_events()
        if self.cycle is not None and not self.cycle.response_complete:
            self._in_hand()

    def on_response_complete(self) -> None:
        """Called when a request is answered: the next one may come, and has its time for that."""
        self._guest.known = True
        if self._guest in self._entrance.guests:
            self._entrance.guests.waits(self._guest)
        self._give(self._entrance.patience.rest + self._entrance.patience.head)
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Called when so much waits to be read that no more is written: whoever asks, and reads nothing, goes."""
        super().pause_writing()
        self._is_read()
        self._unread = self.loop.call_later(self._entrance.patience.head, self._too_late)

    def resume_writing(self) -> None:
        """Called when most of that was read."""
        self._is_read()
        super().resume_writing()

    def _is_read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _in_hand(self) -> None:
        self._entrance.guests.in_hand(self._guest)
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _give(self, seconds: float) -> None:
        if self._late is not None:
            self._late.cancel()
        self._late = self.loop.call_later(max(seconds, 0.0), self._too_late)

    def _too_late(self) -> None:
        self._entrance.send_away(self._guest, "too-slow")
        with suppress(OSError):
            self.transport.abort()
