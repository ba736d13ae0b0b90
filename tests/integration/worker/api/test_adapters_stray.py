"""Conformance of the HTTP adapters: what nobody asked for is nobody's answer, whenever it comes."""

import asyncio
import time
from typing import Any

import pytest
from ajo_worker.api.answer import Answer, HttpAdapter

from tests.support import raw_behaviours as does
from tests.support.calls import call_to, only
from tests.support.punctual_server import PunctualServer
from tests.support.raw_server import Behaviour, Connection, RawServer

LONG = 60.0
STRAY = does.whole(b"stray")
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n"


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (does.whole() + STRAY, does.BODY),
        (does.whole() + b"HTTP/1.1 202 Acc", does.BODY),
        (does.whole() + b"\r\n\r\n" + STRAY, does.BODY),
        (does.whole() + b"x", does.BODY),
        (does.whole(b"") + STRAY, b""),
        (does.chunked(does.BODY) + STRAY, does.BODY),
        (does.chunked(does.BODY) + b"0\r\n\r\n", does.BODY),
        (NO_CONTENT + b"\r\n" + STRAY, b""),
        (NO_CONTENT + b"content-length: 5\r\n\r\nstray", b""),
        (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\nstray", b""),
        (does.ACCEPTED + b"content-length: 5\r\n\r\n" + does.BODY, does.BODY[:5]),
    ],
    ids=[
        "a second answer",
        "half a second answer",
        "blank lines and a second answer",
        "one byte",
        "a second answer after an empty one",
        "a second answer after chunks",
        "a second end of chunks",
        "a second answer after 204",
        "204 with a body",
        "304 with a body",
        "a body longer than its length",
    ],
)
async def test_what_comes_together_with_an_answer_is_not_the_next_ones(
    adapter: HttpAdapter, answer: bytes, body: bytes
) -> None:
    async with RawServer(does.answering(answer)) as server:
        for _ in range(3):
            assert only(Answer, await adapter.post(call_to(server.url), timeout=LONG)).body == body
        assert len(server.requests) == 3
        assert server.connections == 3


@pytest.mark.parametrize("stray", [STRAY, b"HTTP/1.1 202 Acc", b"x", b"\r\n"])
async def test_what_comes_on_an_idle_connection_closes_it(adapter: HttpAdapter, stray: bytes) -> None:
    async def behave(connection: Connection) -> None:
        await connection.request()
        await connection.send(does.whole())
        await connection.server.release.wait()
        await connection.send(stray)
        await connection.until_closed()

    async with RawServer(behave) as server:
        only(Answer, await adapter.post(call_to(server.url), timeout=LONG))
        server.release.set()
        if "Httpx" in type(adapter).__name__:  # it looks when it comes to the next call
            await server.until(lambda: server.sent > len(does.whole()), "the stray bytes are on their way")
            await asyncio.sleep(0)
        else:
            await server.until(lambda: server.open == 0, "the connection is closed")
        assert only(Answer, await adapter.post(call_to(server.url), timeout=LONG)).body == does.BODY
        assert (server.connections, len(server.requests)) == (2, 2)


async def test_what_came_while_our_loop_was_busy_is_seen_before_the_next_call(adapter: HttpAdapter) -> None:
    with PunctualServer(does.whole(), after=0.0, stray=STRAY) as server:
        for _ in range(3):
            assert only(Answer, await adapter.post(call_to(server.url), timeout=LONG)).body == does.BODY
            held_up_until = time.monotonic() + 0.3
            while time.monotonic() < held_up_until or server.strayed < server.asked:
                pass
        assert server.asked == 3


async def test_a_connection_under_way_serves_no_other_call_once_stray_answers_came(adapter: HttpAdapter) -> None:
    async with RawServer(does.hang) as server:
        post = asyncio.create_task(adapter.post(call_to(server.url), timeout=LONG))
        await server.until(lambda: len(server.requests) == 1, "the request is there")
        await adapter.drop_idle()
        server.release.set()
        only(Answer, await post)
        only(Answer, await adapter.post(call_to(server.url), timeout=LONG))
        assert server.connections == (1 if "Httpx" in type(adapter).__name__ else 2)  # it looks for unread bytes anyway


async def test_pyreqwest_uses_each_connection_once_after_a_stray_answer(make: Any) -> None:
    """It can't tell whether a kept connection has unread bytes, so one bad gateway ends the keeping."""
    adapter = make()
    if "Pyreqwest" not in type(adapter).__name__:
        return
    async with RawServer(does.answering(does.whole())) as server:
        only(Answer, await adapter.post(call_to(server.url), timeout=LONG))
        await adapter.drop_idle()
        for _ in range(3):
            only(Answer, await adapter.post(call_to(server.url), timeout=LONG))
        assert server.connections == 4


@pytest.mark.parametrize("behaviour", [does.answering(does.whole() + STRAY)])
async def test_of_many_calls_at_once_each_gets_its_own_answer(adapter: HttpAdapter, behaviour: Behaviour) -> None:
    async with RawServer(behaviour) as server:
        posts = [adapter.post(call_to(server.url), timeout=LONG) for _ in range(50)]
        assert {only(Answer, answer).body for answer in await asyncio.gather(*posts)} == {does.BODY}
        assert server.connections == 50
