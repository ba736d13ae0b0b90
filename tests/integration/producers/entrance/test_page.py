"""A page of figures is there for whoever asks, however many others hold connections, and how."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from ajo_local.ports import LOOPBACK
from ajo_producers.entrance.guests import Room
from ajo_producers.entrance.page import Page

from tests.support.waiting import DEADLINE_SECONDS

ROOM = Room(all=20, of_one=20)
BODY = b"ajo_figure 1\n"
Call = Callable[[bytes], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


@asynccontextmanager
async def served(page: Page) -> AsyncIterator[Call]:
    """Opens a connection to the page and sends what is given; all are closed in the end."""
    async with AsyncExitStack() as stack:
        server = await page.serve(LOOPBACK, 0)
        stack.callback(server.close)
        port = server.sockets[0].getsockname()[1]

        async def call(sent: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            reader, writer = await asyncio.open_connection(LOOPBACK, port, limit=1024)
            stack.callback(writer.transport.abort)
            writer.write(sent)
            return reader, writer

        yield call


async def ended(reader: asyncio.StreamReader) -> bytes:
    """What comes until the other side ends the connection, in whatever way."""
    came = b""
    async with asyncio.timeout(DEADLINE_SECONDS):
        try:
            while part := await reader.read(65_536):
                came += part
        except ConnectionError:
            pass
    return came


async def figures(_accepted: str) -> tuple[str, bytes]:
    return "text/plain", BODY


async def test_a_page_is_made_for_what_the_request_accepts() -> None:
    async def make(accepted: str) -> tuple[str, bytes]:
        return "text/plain", accepted.encode()

    async with served(Page(make, ROOM, DEADLINE_SECONDS)) as call:
        reader, _ = await call(b"GET /any HTTP/1.1\r\nHost: here\r\nACCEPT: text/plain;q=0.5\r\nAccept: */*\r\n\r\n")
        head, _, body = (await ended(reader)).partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"HTTP/1.1 200 OK", b"Content-Type: text/plain", b"Content-Length: 20", b"Connection: close"
    ]  # fmt: skip
    assert body == b"text/plain;q=0.5,*/*"


async def test_whoever_sends_no_whole_request_gives_way_to_whoever_comes() -> None:
    page = Page(figures, ROOM, seconds=1e6)
    async with served(page) as call:
        idle = [await call(b"GET / HTTP/1.1\r\nX: a") for _ in range(ROOM.all + 5)]
        for reader, _ in idle[:5]:
            assert await ended(reader) == b"", "those that came first are cut, before their time is over"
        assert len(page.guests) <= ROOM.all
        asking, _ = await call(b"GET / HTTP/1.1\r\n\r\n")
        assert (await ended(asking)).endswith(BODY)


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nX: a", b"PRI * HTTP/2.0\r\n\r", b"A" * 100_000])
async def test_what_is_no_request_in_time_is_cut(sent: bytes) -> None:
    async with served(Page(figures, ROOM, seconds=0.05)) as call:
        reader, _ = await call(sent)
        assert await ended(reader) == b""


async def test_whoever_asks_and_reads_nothing_is_cut() -> None:
    async def make(_accepted: str) -> tuple[str, bytes]:
        return "text/plain", bytes(20_000_000)

    page = Page(make, ROOM, seconds=0.05)
    async with served(page) as call:
        reader, writer = await call(b"GET / HTTP/1.1\r\n\r\n")
        writer.transport.pause_reading()  # type: ignore[attr-defined] # asyncio says WriteTransport
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not len(page.guests):
                await asyncio.sleep(0)
            while len(page.guests):
                await asyncio.sleep(0.01)
        writer.transport.resume_reading()  # type: ignore[attr-defined] # as above
        assert len(await ended(reader)) < 20_000_000
