"""A page of figures over HTTP, at every path and without a framework, for whoever scrapes it.

Connections are bounded in number and in time: whoever asks nothing, or reads nothing, takes no file of the process's.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from ajo_producers.entrance.guests import Guest, Guests, Room, owner_of
from ajo_producers.entrance.open_files import allow_open_files

ROOM = Room(all=400, of_one=300)
BACKLOG = 100
"""Connections that asyncio takes before any of them is looked at."""
SHARE = 4
"""Where few files are allowed, one in so many is for these connections, and as many are taken at once."""
SECONDS = 5.0
"""Until a request is here, and again until its answer has been read."""
HEAD_END = b"\r\n\r\n"

Make = Callable[[str], Awaitable[tuple[str, bytes]]]
"""The page for what a request says that it accepts: its content type, and its bytes."""


class Page:
    """Serves what ``make`` makes, anew for each request."""

    def __init__(self, make: Make, room: Room = ROOM, seconds: float = SECONDS) -> None:
        self._make, self._seconds = make, seconds
        self._writers: dict[Guest, asyncio.StreamWriter] = {}
        self._backlog = BACKLOG
        if (short := allow_open_files(room.all + BACKLOG)) is not None:
            most = max(short[0] // SHARE, 1)
            self._backlog = min(BACKLOG, most)
            room = Room(min(room.all, most), min(room.of_one, most))
        self.guests = Guests(room)

    async def serve(self, host: str, port: int) -> asyncio.Server:
        """Begin to serve; ``port`` 0 is a free one.

        Raises:
            OSError: the address can't be listened on.
        """
        return await asyncio.start_server(self._came, host, port, backlog=self._backlog)

    async def _came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        guest = Guest(owner_of((writer.get_extra_info("peername") or ("127.0.0.1",))[0]))
        if (goes := self.guests.who_goes(guest)) is not None:
            self._cut(goes)
        if goes is guest:
            writer.transport.abort()
            return
        self.guests.add(guest)
        self._writers[guest] = writer
        with suppress(OSError, EOFError, asyncio.LimitOverrunError):  # a time-out is an OSError
            await self._answer(guest, reader, writer)
        self._cut(guest)

    async def _answer(self, guest: Guest, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(self._seconds):
            head = await reader.readuntil(HEAD_END)
        self.guests.in_hand(guest)
        kind, body = await self._make(_accepted(head))
        about = f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close"
        async with asyncio.timeout(self._seconds):
            writer.write(f"HTTP/1.1 200 OK\r\n{about}".encode() + HEAD_END + body)
            writer.close()
            await writer.wait_closed()

    def _cut(self, guest: Guest) -> None:
        self.guests.remove(guest)
        if (writer := self._writers.pop(guest, None)) is not None:
            writer.transport.abort()


def _accepted(head: bytes) -> str:
    lines = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])
    return ",".join(value.strip() for name, _, value in lines if name.strip().lower() == "accept")
