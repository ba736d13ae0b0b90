"""Conformance of the HTTP adapters: through a proxy a post is one call too; what fails before its tunnel is unsent."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import trustme
from ajo_worker.api.answer import Answer, Failure
from ajo_worker.settings.source import SettingsError

from tests.integration.worker.api.test_adapters_tls import context
from tests.support import raw_behaviours as does
from tests.support.calls import HEADERS, call_to, only
from tests.support.connect_proxy import REFUSED, ConnectProxy
from tests.support.raw_server import RawServer

LONG = 60.0
SHORT = 1.0
SECRET_PARTS = ("planted", "us@er", "us%40er", "dXNAZXI6")
VARIABLES = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A certificate authority that no system knows."""
    return trustme.CA()


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of proxies this machine's own environment says nothing."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    """The authority's certificate."""
    path = tmp_path / "ca.pem"
    path.write_bytes(authority.cert_pem.bytes())
    return path


def served(authority: trustme.CA, behaviour: Any) -> RawServer:
    """A server over TLS."""
    return RawServer(behaviour, context(authority.issue_cert("127.0.0.1")))


@pytest.mark.parametrize("how", ["setting", "HTTPS_PROXY", "https_proxy"])
async def test_calls_go_through_the_proxys_tunnel_and_keep_it(
    make: Any, authority: trustme.CA, ca_file: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with served(authority, does.answering(does.whole())) as server:
        with ConnectProxy() as proxy:
            if how == "setting":
                adapter = make(ca_file=ca_file, proxy=proxy.url)
            else:
                monkeypatch.setenv(how, proxy.url)
                adapter = make(ca_file=ca_file)
            for _ in range(2):
                answer = only(Answer, await adapter.post(call_to(server.url), timeout=LONG))
                assert (answer.status, answer.body) == (202, does.BODY)
            assert (proxy.tunnels, len(proxy.heads), len(server.requests)) == (1, 1, 2)
            assert proxy.heads[0].startswith(f"CONNECT 127.0.0.1:{server.port} HTTP/1.1\r\n".encode())
            assert b"hidden" not in proxy.heads[0], "neither token nor path"
    for request in server.requests:
        head = request.partition(b"\r\n\r\n")[0].lower()
        assert b"proxy" not in head
        assert all(f"{name}: {value}".lower().encode() in head for name, value in HEADERS.items())


async def test_plain_calls_take_their_proxy_too(make: Any) -> None:
    async with RawServer(does.answering(does.whole())) as server:
        with ConnectProxy() as proxy:
            answer = only(Answer, await make(proxy=proxy.url).post(call_to(server.url), timeout=LONG))
            assert (answer.status, answer.body, len(proxy.heads)) == (202, does.BODY, 1)


@pytest.mark.parametrize("how", ["NO_PROXY", "none"])
async def test_what_is_excepted_goes_direct(
    make: Any, authority: trustme.CA, ca_file: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with served(authority, does.answering(does.whole())) as server:
        with ConnectProxy() as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            if how == "NO_PROXY":
                monkeypatch.setenv(how, f"other.example.com, 127.0.0.1:{server.port}")
            adapter = make(ca_file=ca_file, **({"proxy": "none"} if how == "none" else {}))
            assert only(Answer, await adapter.post(call_to(server.url), timeout=LONG)).status == 202
            assert proxy.heads == []


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (REFUSED, "407|authorization"),
        (b"HTTP/1.1 502 Bad Gateway\r\nx: planted\r\ncontent-length: 7\r\n\r\nplanted", "502|unsuccessful"),
        (b"SSH-2.0-planted\r\n\r\n", "HTTP|unsuccessful"),
        (b"", "EOF|closed|end of file"),
        (None, "refused"),
    ],
    ids=["407", "502", "no HTTP", "closed", "dead"],
)
async def test_what_fails_before_the_tunnel_stands_is_the_proxys_and_nothing_was_sent(
    make: Any, authority: trustme.CA, ca_file: Path, answer: bytes | None, told: str
) -> None:
    async with served(authority, does.answering(does.whole())) as server:
        with ConnectProxy(answer=answer) as proxy:
            if answer is None:
                proxy.die()
            failure = only(
                Failure, await make(ca_file=ca_file, proxy=proxy.url).post(call_to(server.url), timeout=LONG)
            )
        assert (failure.kind, failure.perhaps_processed, server.connections) == ("proxy", False, 0)
        assert failure.elapsed > 0
        assert any(word in failure.detail for word in told.split("|")), failure.detail
        assert not [part for part in SECRET_PARTS if part in repr(failure)]


async def test_a_proxy_that_says_nothing_costs_the_time_to_connect_and_no_more(
    make: Any, authority: trustme.CA, ca_file: Path
) -> None:
    async with served(authority, does.answering(does.whole())) as server:
        with ConnectProxy(silent=True) as proxy:
            adapter = make(ca_file=ca_file, proxy=proxy.url, connect_timeout=0.3)
            failure = only(Failure, await adapter.post(call_to(server.url), timeout=LONG))
        assert (failure.kind, failure.perhaps_processed, server.connections) == ("proxy", False, 0)


@pytest.mark.parametrize("status", [502, 407])
async def test_a_plain_call_that_is_forwarded_is_unsent_if_the_proxy_wants_a_password(make: Any, status: int) -> None:
    """Where a tunnel is made for it, the proxy's 502 proves the same; where it is forwarded, that may be anybody's."""
    with ConnectProxy(answer=b"HTTP/1.1 %d x\r\ncontent-length: 0\r\n\r\n" % status) as proxy:
        adapter = make(proxy=proxy.url)
        result = await adapter.post(call_to("http://127.0.0.1:9/x"), timeout=LONG)
    if status == 502 and "Pyreqwest" in type(adapter).__name__:
        assert only(Answer, result).status == 502
    else:
        failure = only(Failure, result)
        assert (failure.kind, failure.perhaps_processed, failure.status) == ("proxy", False, None)


async def test_a_proxy_that_dies_with_the_call_leaves_it_perhaps_processed(
    make: Any, authority: trustme.CA, ca_file: Path
) -> None:
    async with served(authority, does.hang) as server:
        with ConnectProxy() as proxy:
            adapter = make(ca_file=ca_file, proxy=proxy.url)
            post = asyncio.create_task(adapter.post(call_to(server.url), timeout=LONG))
            await server.until(lambda: len(server.requests) == 1, "the request is there")
            proxy.die()
            failure = only(Failure, await post)
        assert (failure.kind, failure.perhaps_processed) == ("reset", True)
        assert len(server.requests) == 1


async def test_in_the_tunnel_the_endpoints_certificate_is_verified(make: Any) -> None:
    async with served(trustme.CA(), does.answering(does.whole())) as server:
        with ConnectProxy() as proxy:
            failure = only(Failure, await make(proxy=proxy.url).post(call_to(server.url), timeout=LONG))
        assert (failure.kind, failure.perhaps_processed, server.requests) == ("tls", False, [])


async def test_an_unusable_proxy_is_refused_by_name(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "socks5://us:planted@proxy.example.com")
    with pytest.raises(SettingsError, match=r"^https_proxy: must be http://") as refused:
        make()
    assert "planted" not in str(refused.value)
