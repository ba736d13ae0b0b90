"""Conformance of the HTTP adapters: a post is one HTTP call, bounded and discreet; its answer comes back as it is."""

import asyncio
import gzip
import logging
import resource
import sys
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from ajo_worker.api.answer import Answer, Call, Failure, HttpAdapter

from tests.support import raw_behaviours as does
from tests.support.calls import HEADERS, SECRETS, call_to, only
from tests.support.punctual_server import PunctualServer
from tests.support.raw_server import Behaviour, RawServer

LONG = 60.0
SHORT = 1.0
MANY = 2000


async def test_an_answer_comes_back_whole_and_with_its_times(adapter: HttpAdapter) -> None:
    headers = b"X-Request-Id: abc\r\nRetry-After: 5\r\nretry-after: 7\r\n"
    async with RawServer(does.answering(does.whole(headers=headers))) as server:
        answer = only(Answer, await adapter.post(call_to(server.url), timeout=LONG))
    assert (answer.status, answer.body, answer.truncated) == (202, does.BODY, False)
    assert answer.headers == {"x-request-id": "abc", "retry-after": "5, 7", "content-length": str(len(does.BODY))}
    assert 0 < answer.to_headers <= answer.to_body


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux remembers when data came")
@pytest.mark.parametrize("form", [does.whole, does.chunked])
async def test_an_answer_is_stamped_when_it_comes_and_not_when_the_loop_gets_to_it(make: Any, form: Any) -> None:
    """The loop is held up by half a second in which the answer, sent after a quarter, has long been there."""
    adapter = make()
    with PunctualServer(form(does.BODY), after=0.25) as server:
        only(Answer, await adapter.post(call_to(server.url), timeout=LONG))  # the connection is kept from here on
        post = asyncio.create_task(adapter.post(call_to(server.url), timeout=LONG))
        while server.asked < 2:
            await asyncio.sleep(0.001)
        held_up_until = time.monotonic() + 0.5
        while time.monotonic() < held_up_until:
            pass
        answer = only(Answer, await post)
    took = server.answered - server.received
    assert answer.to_headers <= answer.to_body == pytest.approx(took, abs=0.1)
    assert answer.lag > 0.1


async def test_a_busy_loop_is_no_connect_time_out(make: Any) -> None:
    """The connection stands at once; that our loop comes back to it after twice the time-out says nothing of Adobe."""
    adapter = make(connect_timeout=0.2)
    if "Httpx" in type(adapter).__name__:
        return  # it watches the time on our loop, and that is why it is not the default

    async def busy() -> None:
        while True:
            held_up_until = time.monotonic() + 0.4
            while time.monotonic() < held_up_until:
                pass
            await asyncio.sleep(0)

    with PunctualServer(does.whole(), after=0.0) as server:
        holding_up = asyncio.create_task(busy())
        answer = only(Answer, await adapter.post(call_to(server.url), timeout=LONG))
        holding_up.cancel()
        assert answer.status == 202


async def test_the_request_is_the_call_and_nothing_more(adapter: HttpAdapter) -> None:
    async with RawServer(does.answering(does.whole())) as server:
        call = call_to(server.url)
        only(Answer, await adapter.post(call, timeout=LONG))
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    first, *lines = head.decode("ascii").split("\r\n")
    sent = [(name.lower(), value) for name, value in (line.split(": ", 1) for line in lines)]
    own = {"host": f"127.0.0.1:{server.port}", "content-length": str(len(call.body))}
    always = {"accept-encoding": "identity", "user-agent": "ajo-dispatch"}
    assert first == "POST /executions?key=hidden-key HTTP/1.1"
    assert sorted(sent) == sorted({**HEADERS, **own, **always}.items())
    assert body == call.body


@pytest.mark.parametrize(
    ("behaviour", "status", "body"),
    [
        (does.answering(does.whole(b"")), 202, b""),
        (does.answering(b"HTTP/1.1 204 No Content\r\n\r\n"), 204, b""),
        (does.answering(does.chunked(does.BODY)), 202, does.BODY),
        (does.sending(does.ACCEPTED + b"\r\n" + does.BODY), 202, does.BODY),
        (does.answering(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" + does.whole()), 202, does.BODY),
        (does.answering(does.whole(headers=b"x-name: caf\xe9\r\n")), 202, does.BODY),
        (does.answering(does.whole(status=b"HTTP/1.1 599 Odd\r\n")), 599, does.BODY),
    ],
    ids=["empty", "no content", "chunked", "until closed", "after early hints", "latin-1 in a header", "odd status"],
)
async def test_every_valid_form_of_an_answer_is_read(
    adapter: HttpAdapter, behaviour: Behaviour, status: int, body: bytes
) -> None:
    async with RawServer(behaviour) as server:
        answer = only(Answer, await adapter.post(call_to(server.url), timeout=LONG))
    assert (answer.status, answer.body, answer.truncated) == (status, body, False)


async def test_an_answer_that_comes_before_the_request_was_read_counts(adapter: HttpAdapter) -> None:
    async with RawServer(does.answer_early) as server:
        call = Call(server.url, HEADERS, b"x" * 5_000_000)
        assert only(Answer, await adapter.post(call, timeout=LONG)).status == 413


async def test_a_compressed_answer_is_not_unpacked(adapter: HttpAdapter) -> None:
    bomb = gzip.compress(b"0" * 1_000_000)
    async with RawServer(does.answering(does.whole(bomb, headers=b"content-encoding: gzip\r\n"))) as server:
        assert only(Answer, await adapter.post(call_to(server.url), timeout=LONG)).body == bomb


@pytest.mark.parametrize("form", [does.whole, does.chunked])
@pytest.mark.parametrize(("length", "truncated"), [(10, False), (11, True), (200_000, True)])
async def test_a_body_is_read_up_to_its_bound(make: Any, form: Any, length: int, truncated: bool) -> None:
    async with RawServer(does.answering(form(b"x" * length))) as server:
        answer = only(Answer, await make(max_answer_bytes=10).post(call_to(server.url), timeout=LONG))
        assert (answer.body, answer.truncated) == (b"x" * 10, truncated)


@pytest.mark.parametrize("behaviour", [does.huge, does.huge_in_chunks])
async def test_of_300_mb_only_the_bound_is_read_and_the_connection_dropped(make: Any, behaviour: Behaviour) -> None:
    async with RawServer(behaviour) as server:
        answer = only(Answer, await make(max_answer_bytes=1_000_000).post(call_to(server.url), timeout=LONG))
        assert (answer.status, len(answer.body), answer.truncated) == (202, 1_000_000, True)
        await server.until(lambda: server.open == 0, "the connection is dropped")
        assert server.sent < does.HUGE / 5  # what the system's buffers took
        assert len(server.requests) == 1


async def test_a_redirect_is_an_answer_and_not_followed(adapter: HttpAdapter) -> None:
    redirect = does.whole(b"", b"HTTP/1.1 307 Temporary Redirect\r\n", b"location: /elsewhere\r\n")
    async with RawServer(does.answering(redirect)) as server:
        answer = only(Answer, await adapter.post(call_to(server.url), timeout=LONG))
        assert (answer.status, answer.headers["location"]) == (307, "/elsewhere")
        assert len(server.requests) == 1


async def test_cookies_are_not_kept(adapter: HttpAdapter) -> None:
    async with RawServer(does.answering(does.whole(headers=b"set-cookie: a=b; path=/\r\n"))) as server:
        for _ in range(2):
            only(Answer, await adapter.post(call_to(server.url), timeout=LONG))
        assert b"cookie" not in server.requests[1].lower()


async def test_a_connection_serves_call_after_call(adapter: HttpAdapter) -> None:
    async with RawServer(does.answering(does.whole(), does.chunked(does.BODY), does.whole(b""))) as server:
        for _ in range(5):
            only(Answer, await adapter.post(call_to(server.url), timeout=LONG))
        assert (server.connections, len(server.requests)) == (1, 5)


async def test_a_connection_that_the_server_closed_meanwhile_is_replaced(adapter: HttpAdapter) -> None:
    async with RawServer(does.sending(does.whole())) as server:
        only(Answer, await adapter.post(call_to(server.url), timeout=LONG))
        await server.until(lambda: not client_sockets(server, psutil.CONN_ESTABLISHED), "the client sees the end")
        if (
            "Pyreqwest" in type(adapter).__name__
        ):  # it sees to that itself, the other one when it comes to the next call
            await server.until(lambda: not client_sockets(server, psutil.CONN_CLOSE_WAIT), "the client closes too")
        only(Answer, await adapter.post(call_to(server.url), timeout=LONG))
        assert (server.connections, len(server.requests)) == (2, 2)


@pytest.fixture
def many_files() -> Iterator[None]:
    """As many open files as this user may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
async def test_2000_calls_are_under_way_at_once(make: Any) -> None:
    adapter = make(max_in_flight=MANY)
    async with RawServer(does.hang) as server:
        bodies = [b"%d" % number for number in range(MANY)]
        posts = [asyncio.create_task(adapter.post(call_to(server.url, body), timeout=LONG)) for body in bodies]
        await server.until(lambda: len(server.requests) == MANY, "all requests are there at once")
        server.release.set()
        assert [only(Answer, await post).body for post in posts] == bodies
        assert len(server.requests) == MANY


async def test_cancelling_a_post_ends_it_and_leaves_the_adapter_usable(adapter: HttpAdapter) -> None:
    async with RawServer(does.hang) as server:
        post = asyncio.create_task(adapter.post(call_to(server.url), timeout=LONG))
        await server.until(lambda: len(server.requests) == 1, "the request is there")
        post.cancel()
        with pytest.raises(asyncio.CancelledError):
            await post
        server.release.set()
        assert only(Answer, await adapter.post(call_to(server.url, b"next"), timeout=LONG)).body == b"next"
        assert len(server.requests) == 2


async def test_a_late_answer_is_not_taken_for_the_next_ones(adapter: HttpAdapter) -> None:
    async with RawServer(does.hang) as server:
        assert only(Failure, await adapter.post(call_to(server.url, b"late"), timeout=SHORT)).kind == "timeout"
        post = asyncio.create_task(adapter.post(call_to(server.url, b"next"), timeout=LONG))
        await server.until(lambda: len(server.requests) == 2, "the next request is there")
        server.release.set()
        assert only(Answer, await post).body == b"next"


@pytest.mark.parametrize("surplus", [does.whole(b"surplus"), b"HTTP/1.1 202 Acc", b"no HTTP"])
async def test_what_comes_after_an_answer_is_not_taken_for_the_next_one(adapter: HttpAdapter, surplus: bytes) -> None:
    async with RawServer(does.answering(does.whole() + surplus)) as server:
        for _ in range(3):
            assert only(Answer, await adapter.post(call_to(server.url), timeout=LONG)).body == does.BODY
        assert (server.connections, len(server.requests)) == (3, 3)


async def test_closing_closes_the_connections_and_nothing_is_sent_afterwards(adapter: HttpAdapter) -> None:
    async with RawServer(does.answering(does.whole())) as server:
        only(Answer, await adapter.post(call_to(server.url), timeout=LONG))
        assert server.open == 1
        await adapter.close()
        await server.until(lambda: server.open == 0, "the idle connection is closed")
        failure = only(Failure, await adapter.post(call_to(server.url), timeout=LONG))
        assert (failure.kind, failure.perhaps_processed, len(server.requests)) == ("internal", False, 1)
        await adapter.close()


async def test_closing_ends_a_call_that_waits_for_its_answer(adapter: HttpAdapter) -> None:
    async with RawServer(does.hang) as server:
        post = asyncio.create_task(adapter.post(call_to(server.url), timeout=LONG))
        await server.until(lambda: len(server.requests) == 1, "the request is there")
        await adapter.close()
        assert only(Failure, await post).perhaps_processed


async def test_no_secret_is_logged(adapter: HttpAdapter, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)  # the worker logs its own events alone below WARNING
    for behaviour in (does.answering(does.whole()), does.echo, does.close_read):
        async with RawServer(behaviour) as server:
            await adapter.post(call_to(server.url), timeout=LONG)
    assert not [secret for secret in SECRETS if secret in caplog.text]


def client_sockets(server: RawServer, status: str) -> list[Any]:
    """This process's sockets to the server that are in a state of TCP."""
    return [
        found
        for found in psutil.Process().net_connections("tcp")
        if found.raddr and found.raddr.port == server.port and found.status == status
    ]


async def test_after_the_idle_connections_were_dropped_the_next_call_has_a_new_one(adapter: HttpAdapter) -> None:
    async with RawServer(does.answering(does.whole())) as server:
        for connections in (1, 1):
            only(Answer, await adapter.post(call_to(server.url), timeout=LONG))
            assert server.connections == connections
        await adapter.drop_idle()
        only(Answer, await adapter.post(call_to(server.url), timeout=LONG))
        assert server.connections == 2
        await server.until(lambda: server.open <= 1, "the other one is closed")


async def test_dropping_idle_connections_leaves_calls_under_way_alone(adapter: HttpAdapter) -> None:
    async with RawServer(does.hang) as server:
        under_way = [asyncio.create_task(adapter.post(call_to(server.url), timeout=LONG)) for _ in range(3)]
        await server.until(lambda: len(server.requests) == 3, "all are under way")
        await adapter.drop_idle()
        server.release.set()
        assert {only(Answer, answer).status for answer in await asyncio.gather(*under_way)} == {202}
