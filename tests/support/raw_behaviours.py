"""What a raw server does with a connection: answers as they should be, and every way in which they break."""

import asyncio

from tests.support.raw_server import Behaviour, Connection

ACCEPTED = b"HTTP/1.1 202 Accepted\r\n"
BODY = b'{"executionId":"UMA-1"}'
CHUNK = b"x" * 65_536
HUGE = 300_000_000


def whole(body: bytes = BODY, status: bytes = ACCEPTED, headers: bytes = b"") -> bytes:
    """An answer with its length in front."""
    return status + headers + b"content-length: %d\r\n\r\n" % len(body) + body


def chunked(body: bytes) -> bytes:
    """An answer of one chunk."""
    return ACCEPTED + b"transfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


def answering(*answers: bytes) -> Behaviour:
    """Answers each request in turn, and the last answer again and again."""

    async def behave(connection: Connection) -> None:
        left = [*answers]
        while True:
            await connection.request()
            await connection.send(left.pop(0) if len(left) > 1 else left[0])

    return behave


async def silent(connection: Connection) -> None:
    """Accept, read nothing, answer nothing."""
    await asyncio.Event().wait()


async def hang(connection: Connection) -> None:
    """Read requests, and answer each with its own body, but only when the test releases them."""
    while True:
        request = await connection.request()
        await connection.server.release.wait()
        await connection.send(whole(request.partition(b"\r\n\r\n")[2]))


async def reset_at_once(connection: Connection) -> None:
    """Reset as soon as the connection is there, which the client may notice while it still connects."""
    connection.reset()


async def reset_unread(connection: Connection) -> None:
    """Reset when the request begins to arrive, before it was read."""
    await connection.reader.readexactly(1)
    connection.reset()


async def reset_read(connection: Connection) -> None:
    """Read the request, then reset."""
    await connection.request()
    connection.reset()


async def close_unread(connection: Connection) -> None:
    """Close before anything was read."""


async def close_read(connection: Connection) -> None:
    """Read the request, then close."""
    await connection.request()


def sending(data: bytes) -> Behaviour:
    """Reads the request, sends ``data``, closes."""

    async def behave(connection: Connection) -> None:
        await connection.request()
        await connection.send(data)

    return behave


def stalling(data: bytes) -> Behaviour:
    """Reads the request, sends ``data``, and goes silent with the connection open."""

    async def behave(connection: Connection) -> None:
        await connection.request()
        await connection.send(data)
        await connection.until_closed()

    return behave


async def echo(connection: Connection) -> None:
    """Send back what was asked, which is no HTTP answer and has the token in it."""
    await connection.send(await connection.request())
    await connection.until_closed()


async def reset_in_body(connection: Connection) -> None:
    """Half a body, then RST once the client has read it: an RST may overtake what was not read yet."""
    await connection.request()
    await connection.send(ACCEPTED + b"content-length: 100\r\n\r\nhalf")
    await connection.server.release.wait()
    connection.reset()


async def drip(connection: Connection) -> None:
    """A body of one byte every 20 ms."""
    await connection.request()
    await connection.send(ACCEPTED + b"content-length: 100000\r\n\r\n")
    while True:
        await connection.send(b"x")
        await asyncio.sleep(0.02)


async def huge(connection: Connection) -> None:
    """A body of 300 MB."""
    await connection.request()
    await connection.send(ACCEPTED + b"content-length: %d\r\n\r\n" % HUGE)
    for _ in range(HUGE // len(CHUNK)):
        await connection.send(CHUNK)


async def huge_in_chunks(connection: Connection) -> None:
    """A body of 300 MB that doesn't say so."""
    await connection.request()
    await connection.send(ACCEPTED + b"transfer-encoding: chunked\r\n\r\n")
    for _ in range(HUGE // len(CHUNK)):
        await connection.send(b"%x\r\n%s\r\n" % (len(CHUNK), CHUNK))


async def answer_early(connection: Connection) -> None:
    """Answer when the headers are here, and throw the body away."""
    await connection.reader.readuntil(b"\r\n\r\n")
    await connection.send(whole(b"", b"HTTP/1.1 413 Content Too Large\r\n", b"connection: close\r\n"))
    await connection.until_closed()
