"""Tokens over real HTTP: what can't be a token is none, and no answer takes more time or memory than it may."""

import asyncio
import gzip
import json
import tracemalloc
from collections.abc import Awaitable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from ajo_worker.api import token as token_module
from ajo_worker.api import token_fetch as fetch_module
from ajo_worker.api.tls import tls_context
from ajo_worker.api.token import Token, TokenProvider, TokenUnavailable
from ajo_worker.api.token_answer import FetchFailed
from ajo_worker.api.token_fetch import token_client, token_fetch
from ajo_worker.settings import Settings

from tests.support.raw_behaviours import answering, reset_read, silent
from tests.support.raw_server import Behaviour, Connection, RawServer

SECRET = "p8e-hunter2-very-secret"
TOKEN = {"access_token": "a.b.c", "token_type": "bearer", "expires_in": 86399}
HUGE = 300_000_000
PLENTY = 20_000_000
"""Bytes that a fetch never needs."""


def http(body: object, status: str = "200 OK", headers: str = "") -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return f"HTTP/1.1 {status}\r\n{headers}content-length: {len(content)}\r\n\r\n".encode() + content


async def fetched(behaviour: Behaviour, **more: Any) -> tuple[Token | FetchFailed, RawServer]:
    """What a fetch brings from a server that behaves so."""
    async with RawServer(behaviour) as server:
        own = {"client_id": "me", "client_secret": SECRET, "token_url": f"http://127.0.0.1:{server.port}/token"}
        settings = Settings(**{**own, **more})
        async with token_client(settings, tls_context(settings)) as client:
            return await _outcome(token_fetch(settings, client)()), server


async def _outcome(fetch: Awaitable[Token]) -> Token | FetchFailed:
    try:
        return await fetch
    except FetchFailed as fault:
        return fault


async def test_a_token_is_fetched_with_scopes_that_hold_no_blanks() -> None:
    found, server = await fetched(answering(http(TOKEN)), scopes=" openid, AdobeID ,x\n")
    assert isinstance(found, Token)
    assert (found.text, found.lifetime, found.remarks) == ("a.b.c", 86399.0, ())
    head, _, form = server.requests[0].decode().partition("\r\n\r\n")
    assert parse_qs(form)["scope"] == ["openid,AdobeID,x"]
    assert "authorization" not in head.lower()


@pytest.mark.parametrize("packed", [False, True])
async def test_an_answer_is_read_in_whatever_way_it_travels(packed: bool) -> None:
    body = json.dumps(TOKEN).encode()
    headers = "content-encoding: gzip\r\n" if packed else ""
    found, _ = await fetched(answering(http(gzip.compress(body) if packed else body, headers=headers)))
    assert isinstance(found, Token)
    assert found.text == "a.b.c"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (http(TOKEN | {"access_token": ""}), "status 200, but the access_token is empty"),
        (http(TOKEN | {"access_token": "   "}), "status 200, but the access_token is empty"),
        (http(TOKEN | {"access_token": "a\r\nX-Evil: 1"}), "characters that no token has"),
        (http(TOKEN | {"access_token": "tokén"}), "characters that no token has"),
        (http({"error": "invalid_client", "error_description": SECRET}), "status 200, invalid_client"),
        (http({"error": "invalid_client", "error_description": SECRET}, "400 Bad Request"), "400, invalid_client"),
        (http(b"<html>", headers="content-type: text/html\r\n"), "status 200, but no JSON object (text/html)"),
        (http(b"", "302 Found", f"location: https://example.com/?{SECRET}\r\n"), "status 302: a redirect"),
        (http(b"", "503 Unavailable"), "status 503"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", "RemoteProtocolError"),
        (b"nonsense\r\n\r\n", "RemoteProtocolError"),
    ],
)
async def test_what_brings_no_token_is_told_by_what_it_was_and_nothing_secret(answer: bytes, told: str) -> None:
    async def behave(connection: Connection) -> None:
        await connection.request()
        await connection.send(answer)

    found, _ = await fetched(behave)
    assert isinstance(found, FetchFailed)
    assert told in str(found)
    assert SECRET not in str(found)


@pytest.mark.parametrize("length", [True, False], ids=["with its length", "until it closes"])
async def test_an_answer_of_300_mb_is_not_read(length: bool) -> None:
    async def pour(connection: Connection) -> None:
        await connection.request()
        size = b"content-length: %d\r\n" % HUGE if length else b""
        await connection.send(b"HTTP/1.1 200 OK\r\n" + size + b"\r\n" + b'{"access_token":"')
        while connection.server.sent < HUGE:
            await connection.send(b"a" * 65_536)

    tracemalloc.start()
    try:
        found, server = await fetched(pour)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert str(found) == "token endpoint: status 200, more than 65,536 bytes"
    assert server.sent < PLENTY
    assert peak < PLENTY


async def test_a_small_answer_that_unpacks_to_300_mb_is_not_unpacked() -> None:
    body = b'{"access_token":"' + b"a" * PLENTY
    tracemalloc.start()
    try:
        found, _ = await fetched(answering(http(gzip.compress(body), headers="content-encoding: gzip\r\n")))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(found, FetchFailed)
    assert peak < 3 * PLENTY, "the body that was made here, and not once more"


async def test_an_answer_that_drips_ends_with_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes in time, so that no time-out of a single read ever ends it."""
    monkeypatch.setattr(fetch_module, "FETCH_TIMEOUT", 0.5)

    async def drip(connection: Connection) -> None:
        await connection.request()
        await connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n")
        for _ in range(10_000):
            await connection.send(b" ")
            await asyncio.sleep(0.02)

    found, server = await fetched(drip)
    assert str(found) == "token endpoint: no whole answer within 0.5 s"
    assert server.sent < 5_000


@pytest.mark.parametrize("behaviour", [silent, reset_read])
async def test_a_server_that_says_nothing_gives_no_token(behaviour: Behaviour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_module, "FETCH_TIMEOUT", 0.5)
    found, _ = await fetched(behaviour)
    assert isinstance(found, FetchFailed)
    assert not found.ours


async def test_after_answers_without_a_token_the_next_one_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_module, "FIRST_PAUSE", 0.01)
    bad = [http(TOKEN | {"access_token": ""}), http({"error": "temporarily_unavailable"}), http(b"<html>")]
    async with RawServer(answering(*bad, http(TOKEN | {"expires_in": None}))) as server:
        settings = Settings(client_id="me", client_secret=SECRET, token_url=f"http://127.0.0.1:{server.port}/token")
        async with token_client(settings, tls_context(settings)) as client:
            provider = TokenProvider(token_fetch(settings, client), margin=300.0)
            assert await provider.get(30) == "a.b.c"
            assert len(server.requests) == 4
            await provider.close()


async def test_an_unforeseen_fault_of_a_fetch_is_one_more_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_module, "FIRST_PAUSE", 0.01)

    async def broken() -> Token:
        raise RuntimeError(SECRET)

    provider = TokenProvider(broken, margin=300.0)
    with pytest.raises(TokenUnavailable, match="RuntimeError") as caught:
        await provider.get(0.05)
    assert SECRET not in str(caught.value)
    await provider.close()


async def test_a_secret_that_is_rotated_in_its_file_is_taken_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "secret"
    monkeypatch.delenv("AJO_CLIENT_SECRET", raising=False)
    monkeypatch.setenv("AJO_CLIENT_SECRET_FILE", str(file))
    file.write_text("old\n")
    async with RawServer(answering(http(TOKEN))) as server:
        settings = Settings(client_id="me", token_url=f"http://127.0.0.1:{server.port}/token")
        async with token_client(settings, tls_context(settings)) as client:
            fetch = token_fetch(settings, client)
            for text in ("old", "new\n", ""):
                file.write_text(text)
                await fetch()
        given = [parse_qs(request.decode().partition("\r\n\r\n")[2])["client_secret"][0] for request in server.requests]
    assert given == ["old", "new", "new"]
