"""How an access token is asked for: OAuth server-to-server, over a client of its own."""

import asyncio
import ssl
import time
from collections.abc import Callable

import httpx2

from ajo_worker.api.adapters.tunnels import ThroughProxies
from ajo_worker.api.contents import uncompressed
from ajo_worker.api.token import Fetch, Token
from ajo_worker.api.token_answer import FetchFailed, read_answer
from ajo_worker.settings import Settings, renewed
from ajo_worker.settings.proxies import proxies

FETCH_TIMEOUT = 15.0
"""Seconds for a whole fetch, from connecting to the answer's last byte."""
MOST_BYTES = 65_536
"""Bytes of an answer that are read at most; a token has some thousand."""


def token_fetch(
    settings: Settings, client: httpx2.AsyncClient, monotonic: Callable[[], float] = time.monotonic
) -> Fetch:
    """A fetch from the token endpoint: OAuth server-to-server, ``client_credentials``, form-encoded."""
    form = {"grant_type": "client_credentials", "client_id": settings.client_id, "scope": settings.scopes}
    secret = renewed(settings, "client_secret")

    async def fetch() -> Token:
        asked = monotonic()
        try:
            async with asyncio.timeout(FETCH_TIMEOUT):
                status, media_type, body = await _ask(
                    client, settings.token_url, {**form, "client_secret": secret.now()}
                )
        except TimeoutError:
            raise FetchFailed(f"token endpoint: no whole answer within {FETCH_TIMEOUT:g} s") from None
        except httpx2.ProxyError as fault:
            raise FetchFailed(f"token endpoint: no tunnel through the proxy: {fault}", by_proxy=True) from None
        except httpx2.HTTPError as fault:
            raise FetchFailed(f"token endpoint: {type(fault).__name__}") from None
        granted = read_answer(status, media_type, body)
        # Counted from the answer: from the question, a slow endpoint's short-lived tokens would never be of use. One
        # that has expired after all is refused, and refreshed.
        answered = monotonic()
        return Token(granted.text, answered, granted.lifetime, granted.remarks, answered - asked)

    return fetch


async def _ask(client: httpx2.AsyncClient, url: str, form: dict[str, str]) -> tuple[int, str, bytes]:
    """Status, content type and body of an answer that is read no further than it may be long."""
    async with client.stream("POST", url, data=form, headers={"Accept-Encoding": "identity"}) as answer:
        body = bytearray()
        async for chunk in answer.aiter_raw():
            body += chunk
            if len(body) > MOST_BYTES:
                raise FetchFailed(f"token endpoint: status {answer.status_code}, more than {MOST_BYTES:,} bytes")
        coding, media_type = (answer.headers.get(f"content-{name}", "") for name in ("encoding", "type"))
        return answer.status_code, media_type, uncompressed(bytes(body), coding, MOST_BYTES)


def token_client(settings: Settings, tls: ssl.SSLContext) -> httpx2.AsyncClient:
    """The HTTP client of everything that is no attempt: token, campaigns' status. It follows no redirect.

    Raises:
        SettingsError: a proxy can't be used.
    """
    timeout, ways = httpx2.Timeout(FETCH_TIMEOUT, connect=settings.connect_timeout), proxies(settings)
    transport = ThroughProxies(ways, lambda: httpx2.AsyncHTTPTransport(verify=tls, trust_env=False))
    return httpx2.AsyncClient(transport=transport, timeout=timeout, trust_env=False, follow_redirects=False)
