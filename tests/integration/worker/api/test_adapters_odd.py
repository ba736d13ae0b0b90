"""Conformance of the HTTP adapters: an odd answer, by the rules of HTTP or against them, is what it is."""

import asyncio
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from ajo_worker.api.answer import Answer, Failure, HttpAdapter

from tests.support import raw_behaviours as does
from tests.support.calls import call_to, only
from tests.support.raw_server import Connection, RawServer

LONG = 60.0
SHORT = 1.0
SIZED = b"content-length: %d\r\n\r\n" % len(does.BODY) + does.BODY
HINTS = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "status", "connections"),
    [
        (b"HTTP/1.0 202 Accepted\r\n" + SIZED, 202, 2),
        (does.ACCEPTED + b"connection: close\r\n" + SIZED, 202, 2),
        (b"HTTP/1.1 202 \r\n" + SIZED, 202, 1),
        (b"HTTP/1.1 202\r\n" + SIZED, 202, 1),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + does.ACCEPTED + SIZED, 202, 1),
        (HINTS * 20 + does.ACCEPTED + SIZED, 202, 1),
        (does.ACCEPTED + b"x-long: " + b"x" * 30_000 + b"\r\n" + SIZED, 202, 1),
        (does.ACCEPTED + b"x-many: x\r\n" * 50 + SIZED, 202, 1),
    ],
    ids=[
        "HTTP/1.0",
        "connection: close",
        "an empty reason",
        "no reason",
        "after 100 Continue",
        "after many early hints",
        "a header of 30 kB",
        "50 headers",
    ],
)
async def test_an_odd_answer_counts(adapter: HttpAdapter, answer: bytes, status: int, connections: int) -> None:
    async with RawServer(does.answering(answer)) as server:
        for _ in range(2):
            found = only(Answer, await adapter.post(call_to(server.url), timeout=LONG))
            assert (found.status, found.body) == (status, does.BODY)
        assert (server.connections, len(server.requests)) == (connections, 2)


@pytest.mark.parametrize(
    "answer",
    [
        does.ACCEPTED + b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
        does.ACCEPTED + b"content-length: 5, 6\r\n\r\nhello!",
        does.ACCEPTED + b"content-length: -1\r\n\r\n",
        does.ACCEPTED + b"content-length: many\r\n\r\n",
        b"HTTP/1.1 20 Accepted\r\n" + SIZED,
        b"HTTP/3 202 Accepted\r\n" + SIZED,
        does.ACCEPTED + b"x: a\0b\r\n" + SIZED,
    ],
    ids=[
        "two lengths",
        "two lengths in one",
        "a negative length",
        "a length that is none",
        "a status of two digits",
        "another version",
        "a null character in a header",
    ],
)
async def test_what_breaks_the_rules_was_perhaps_processed(adapter: HttpAdapter, answer: bytes) -> None:
    async with RawServer(does.stalling(answer)) as server:
        failure = only(Failure, await adapter.post(call_to(server.url), timeout=LONG))
        assert failure.perhaps_processed
        assert failure.kind == ("protocol" if failure.status is None else "body")
        told = "Direct" in type(adapter).__name__ and answer.startswith(does.ACCEPTED)
        assert failure.status == (202 if told else None), "the status line was whole"
        assert len(server.requests) == 1
        await server.until(lambda: server.open == 0, "the connection is dropped")


async def test_another_protocol_is_no_acceptance(adapter: HttpAdapter) -> None:
    switch = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"
    async with RawServer(does.stalling(switch + does.whole())) as server:
        result = await adapter.post(call_to(server.url), timeout=SHORT)
        assert (result.perhaps_processed if isinstance(result, Failure) else result.status != 202) is True


async def test_an_answer_with_a_length_and_chunks_is_the_last_on_its_connection(adapter: HttpAdapter) -> None:
    """Both at once is how requests are smuggled: whoever sends it can't be trusted with where it ends."""
    both = does.ACCEPTED + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
    async with RawServer(does.answering(both)) as server:
        for _ in range(2):
            result = await adapter.post(call_to(server.url), timeout=LONG)
            assert result.perhaps_processed if isinstance(result, Failure) else result.body == b""
        if "Direct" in type(adapter).__name__:
            assert server.connections == 2


def dripping(*, begin: bytes, drop: bytes) -> Callable[[Connection], Any]:
    """Sends ``begin``, then ``drop`` again and again."""

    async def behave(connection: Connection) -> None:
        await connection.request()
        await connection.send(begin)
        while True:
            await connection.send(drop)
            await asyncio.sleep(0.001)

    return behave


@pytest.mark.parametrize(
    ("begin", "drop"),
    [
        (does.ACCEPTED + b"x: ", b"x"),
        (does.ACCEPTED + b"transfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (HINTS, HINTS),
    ],
    ids=["headers", "chunks", "interim answers"],
)
async def test_what_drips_ends_with_the_time_out_and_its_memory_is_bounded(
    adapter: HttpAdapter, begin: bytes, drop: bytes
) -> None:
    tracemalloc.start()
    async with RawServer(dripping(begin=begin, drop=drop)) as server:
        posts = [adapter.post(call_to(server.url), timeout=SHORT) for _ in range(20)]
        failures = [only(Failure, result) for result in await asyncio.gather(*posts)]
        assert {(one.kind, one.perhaps_processed) for one in failures} <= {("timeout", True), ("protocol", True)}
        await server.until(lambda: server.open == 0, "the connections are dropped")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000
