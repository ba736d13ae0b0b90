"""Conformance of the HTTP adapters: what failed counts as perhaps processed, unless the opposite is proven."""

import asyncio
import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from ajo_worker.api.adapters import make_adapter
from ajo_worker.api.answer import Answer, Call, Failure, FailureKind, HttpAdapter
from ajo_worker.settings import Settings

from tests.support import raw_behaviours as does
from tests.support.calls import HEADERS, call_to, only
from tests.support.raw_server import Behaviour, RawServer

LONG = 60.0
SHORT = 1.0


@pytest.mark.parametrize(
    ("behaviour", "kind", "requests"),
    [
        (does.silent, "timeout", 0),
        (does.hang, "timeout", 1),
        (does.reset_unread, "reset", 0),
        (does.close_unread, "reset", 0),
        (does.reset_read, "reset", 1),
        (does.close_read, "reset", 1),
        (does.stalling(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"), "protocol", 1),
        (does.echo, "protocol", 1),
    ],
    ids=[
        "accepted and never read",
        "read and never answered",
        "reset unread",
        "closed unread",
        "reset after the request was read",
        "closed after the request was read",
        "not HTTP",
        "the request comes back",
    ],
)
async def test_without_an_answer_a_sent_request_was_perhaps_processed(
    adapter: HttpAdapter, behaviour: Behaviour, kind: FailureKind, requests: int
) -> None:
    async with RawServer(behaviour) as server:
        timeout = SHORT if kind == "timeout" else LONG
        failure = only(Failure, await adapter.post(call_to(server.url), timeout=timeout))
        assert (failure.kind, failure.perhaps_processed) == (kind, True)
        assert (failure.status, failure.to_headers) == (None, None)
        assert failure.elapsed > 0
        assert len(server.requests) == requests


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        (does.stalling(b"HTTP/1.1 202 Accepted\r\ncontent-le"), "timeout"),
        (does.sending(b"HTTP/1.1 202 Accep"), "reset"),
        (does.sending(b"HTTP/1.1 202 Accepted\r\ncontent-le"), "reset"),
        (does.stalling(b"HTTP/1.1 202 Accepted\r\nno colon\r\n\r\n"), "protocol"),
        (does.stalling(b"HTTP/1.1 202 Accepted\r\nx: " + b"x" * 2_000_000), "protocol"),
    ],
    ids=[
        "half a header, then silence",
        "half a status line, then closed",
        "half a header, then closed",
        "broken header",
        "endless header",
    ],
)
async def test_of_broken_headers_the_status_is_known_where_the_library_tells_it(
    adapter: HttpAdapter, behaviour: Behaviour, kind: FailureKind
) -> None:
    async with RawServer(behaviour) as server:
        timeout = SHORT if kind == "timeout" else LONG
        failure = only(Failure, await adapter.post(call_to(server.url), timeout=timeout))
        known = "Direct" in type(adapter).__name__
        assert failure.status == (202 if known else None)
        assert failure.kind == ("body" if known and kind != "timeout" else kind)
        assert (failure.to_headers is not None) is known
        assert failure.perhaps_processed
        assert len(server.requests) == 1


async def test_of_a_broken_body_the_headers_are_known(adapter: HttpAdapter) -> None:
    """Whoever asks for a wait, or says why it fails, and cuts its page short, has asked for it."""
    cut = b"HTTP/1.1 503 Unavailable\r\nretry-after: 7\r\ncontent-length: 100\r\n\r\nhalf"
    async with RawServer(does.sending(cut)) as server:
        failure = only(Failure, await adapter.post(call_to(server.url), timeout=LONG))
        assert (failure.status, failure.headers["retry-after"]) == (503, "7")
        if "Direct" in type(adapter).__name__:
            assert failure.body == b"half"


async def test_of_a_connection_reset_at_once_only_a_failed_connect_is_surely_unprocessed(
    adapter: HttpAdapter,
) -> None:
    async with RawServer(does.reset_at_once) as server:
        for _ in range(20):
            failure = only(Failure, await adapter.post(call_to(server.url), timeout=LONG))
            assert (failure.kind, failure.perhaps_processed) in {("connect", False), ("reset", True)}
        assert server.requests == []


async def test_pyreqwest_watches_the_time_itself() -> None:
    """An answer in time counts, however late a busy loop sees it: the adapter's own limit is for lost calls alone."""
    adapter = make_adapter(Settings(http_adapter="pyreqwest"))
    async with RawServer(does.hang) as server:
        assert only(Failure, await adapter.post(call_to(server.url), timeout=SHORT)).detail == "operation timed out"
    await adapter.close()


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        (does.sending(does.ACCEPTED + b"content-length: 100\r\n\r\nhalf"), "body"),
        (does.sending(does.ACCEPTED + b"transfer-encoding: chunked\r\n\r\n9\r\nhalf"), "body"),
        (does.sending(does.ACCEPTED + b"transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n"), "body"),
        (does.stalling(does.ACCEPTED + b"transfer-encoding: chunked\r\n\r\nno size\r\nhalf\r\n"), "body"),
        (does.stalling(does.ACCEPTED + b"content-length: 100\r\n\r\n"), "timeout"),
        (does.stalling(does.ACCEPTED + b"content-length: 100\r\n\r\nhalf"), "timeout"),
        (does.stalling(does.ACCEPTED + b"content-length: 99999999999999\r\n\r\nhalf"), "timeout"),
        (does.drip, "timeout"),
    ],
    ids=[
        "half a body",
        "half a chunk",
        "no last chunk",
        "broken chunk",
        "no body comes",
        "the body stalls",
        "the body stalls, and is said to be endless",
        "the body drips",
    ],
)
async def test_of_a_broken_body_the_status_is_known(adapter: HttpAdapter, behaviour: Behaviour, kind: str) -> None:
    async with RawServer(behaviour) as server:
        failure = only(Failure, await adapter.post(call_to(server.url), timeout=SHORT if kind == "timeout" else LONG))
        assert (failure.kind, failure.perhaps_processed, failure.status) == (kind, True, 202)
        assert failure.to_headers is not None
        assert 0 < failure.to_headers < failure.elapsed
        assert len(server.requests) == 1
        await server.until(lambda: server.open == 0, "the connection is dropped")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a socket has not read yet")
async def test_of_a_body_that_is_reset_the_status_is_known(adapter: HttpAdapter) -> None:
    async with RawServer(does.reset_in_body) as server:
        post = asyncio.create_task(adapter.post(call_to(server.url), timeout=LONG))
        await server.until(lambda: server.sent > 0, "half the answer is sent")
        await server.until(lambda: unread_bytes(server) == 0, "the client has read it")
        server.release.set()
        failure = only(Failure, await post)
        assert (failure.kind, failure.perhaps_processed, failure.status) == ("body", True, 202)


@pytest.mark.parametrize("ending", [does.close_read, does.reset_read])
async def test_a_kept_connection_that_dies_under_a_request_is_not_tried_again(
    adapter: HttpAdapter, ending: Behaviour
) -> None:
    async def behave(connection: Any) -> None:
        await connection.request()
        await connection.send(does.whole())
        await ending(connection)

    async with RawServer(behave) as server:
        only(Answer, await adapter.post(call_to(server.url), timeout=LONG))
        failure = only(Failure, await adapter.post(call_to(server.url), timeout=LONG))
        assert (failure.kind, failure.perhaps_processed) == ("reset", True)
        assert (server.connections, len(server.requests)) == (1, 2)


async def test_where_connections_are_closed_after_each_answer_without_a_word_they_soon_serve_one_call_each() -> None:
    """Every second call would be ambiguous else, for as long as such a gateway is there."""

    async def behave(connection: Any) -> None:
        await connection.request()
        await connection.send(does.whole())
        await connection.request()

    adapter = make_adapter(Settings(http_adapter="direct", connect_timeout=20))
    async with RawServer(behave) as server:
        results = [await adapter.post(call_to(server.url), timeout=LONG) for _ in range(20)]
    assert [isinstance(one, Answer) for one in results] == [True, False] * 3 + [True] * 14
    await adapter.close()


async def test_resets_now_and_then_leave_connections_in_use() -> None:
    async def behave(connection: Any) -> None:
        for _ in range(4):
            await connection.request()
            await connection.send(does.whole())
        await connection.request()

    adapter = make_adapter(Settings(http_adapter="direct", connect_timeout=20))
    async with RawServer(behave) as server:
        results = [await adapter.post(call_to(server.url), timeout=LONG) for _ in range(40)]
        assert server.connections == 8
    assert [isinstance(one, Answer) for one in results] == ([True] * 4 + [False]) * 8
    await adapter.close()


async def test_a_refused_connection_proves_that_nothing_was_sent(adapter: HttpAdapter) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # not listening
        result = await adapter.post(call_to(f"http://127.0.0.1:{bound.getsockname()[1]}/?key=hidden-key"), timeout=LONG)
    failure = only(Failure, result)
    assert (failure.kind, failure.perhaps_processed, failure.status) == ("refused", False, None)
    assert "refused" in failure.detail.lower()


async def test_an_unknown_name_proves_that_nothing_was_sent(adapter: HttpAdapter) -> None:
    failure = only(Failure, await adapter.post(call_to("http://ajo.invalid/?key=hidden-key"), timeout=LONG))
    assert (failure.kind, failure.perhaps_processed) == ("dns", False)


@pytest.fixture
def full_backlog() -> Iterator[int]:
    """A port whose queue of connections is full: whoever comes now waits for ever."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        queued = [socket.socket() for _ in range(4)]
        for one in queued:
            one.setblocking(False)
            one.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]
        for one in queued:
            one.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a full queue wait instead of refusing")
async def test_a_connect_timeout_proves_that_nothing_was_sent(make: Any, full_backlog: int) -> None:
    call = call_to(f"http://127.0.0.1:{full_backlog}/?key=hidden-key")
    failure = only(Failure, await make(connect_timeout=SHORT).post(call, timeout=LONG))
    assert (failure.kind, failure.perhaps_processed) == ("connect-timeout", False)


@pytest.mark.parametrize(
    "call",
    [
        Call("http://127.0.0.1:9/?key=hidden-key", {"authorization": "Bearer hidden-token\r\nx: y"}, b""),
        Call("http://127.0.0.1:9/?key=hidden-key", {"no name": "hidden-token"}, b""),
        Call("no-url?key=hidden-key", HEADERS, b""),
    ],
    ids=["line end in a header", "space in a header's name", "no URL"],
)
async def test_a_call_that_is_none_fails_and_raises_nothing(adapter: HttpAdapter, call: Call) -> None:
    only(Failure, await adapter.post(call, timeout=LONG))


def unread_bytes(server: RawServer) -> int:
    """Bytes that wait in this process's sockets to the server (Linux: /proc/net/tcp, rx_queue)."""
    with open("/proc/net/tcp", encoding="ascii") as table:  # noqa: PTH123 - no file, but the kernel's table
        rows = [line.split() for line in table][1:]
    return sum(int(row[4].partition(":")[2], 16) for row in rows if int(row[2].partition(":")[2], 16) == server.port)
