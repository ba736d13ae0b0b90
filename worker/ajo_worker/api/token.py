"""The access token: cached, refreshed before it expires, by one caller at a time."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import random

import httpx2
import structlog

from ajo_worker.api.adapters.tunnels import ThroughProxies
from ajo_worker.api.contents import uncompressed
from ajo_worker.api.token_answer import FetchFailed, read_answer
from ajo_worker.settings import Settings, renewed
from ajo_worker.settings.proxies import proxies

log = structlog.get_logger("ajo_worker.token")

FETCH_TIMEOUT = 15.0
"""Seconds for a whole fetch, from connecting to the answer's last byte."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
"""Seconds between fetches that fail."""
MOST_BYTES = 65_536
"""Bytes of an answer that are read at most; a token has some thousand."""


class TokenUnavailable(Exception):  # noqa: N818 - says what it found
    """There is no token, and the wait for one was too long; the text says why the last fetch failed."""


@dataclass(frozen=True, slots=True)
class Token:
    """An access token; ``fetched`` is monotonic, ``lifetime`` in seconds, ``remarks`` are what had to be assumed.

    ``took`` is how long its fetch was under way: for so long it had perhaps lived already.
    """

    text: str = field(repr=False)
    fetched: float
    lifetime: float
    remarks: tuple[str, ...] = ()
    took: float = 0.0


@dataclass(frozen=True, slots=True)
class Missing:
    """There is no token to send with, ``since`` then (monotonic), and no fetch has brought one.

    ``reason`` is that of the newest failure; ``ours``: the endpoint refuses credentials, scopes or address;
    ``by_proxy``: our proxy doesn't let us reach it.
    """

    since: float
    reason: str
    ours: bool
    by_proxy: bool = False


Fetch = Callable[[], Awaitable[Token]]


def _nobody() -> None:
    """Stands where nobody waits to be told."""


class TokenProvider:
    """Gives the cached token. One fetch runs at a time, in the background, and goes on until it has a token."""

    def __init__(self, fetch: Fetch, *, margin: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._margin = margin
        self._monotonic = monotonic
        self._token: Token | None = None
        self._rejected: str | None = None
        self._rejected_at = 0.0
        self._fetching: asyncio.Task[None] | None = None
        self._reason = "no answer yet"
        self._ours = self._by_proxy = False
        self._failing_since: float | None = None
        self.on_token: Callable[[], None] = _nobody
        """Called when there is a token again, after fetches that failed."""

    @property
    def failing(self) -> tuple[float, str] | None:
        """Since when (monotonic) every fetch has failed, and why the newest one did; None if the newest did not."""
        return None if self._failing_since is None else (self._failing_since, self._reason)

    @property
    def missing(self) -> Missing | None:
        """That there is no token, and fetches fail; None while there is one, and before the first fetch has failed."""
        if self._failing_since is None or self._usable() is not None:
            return None
        since = max(self._failing_since, self._lost_at())
        return Missing(since, self._reason, self._ours, self._by_proxy)

    async def get(self, timeout: float) -> str:
        """The token, as soon as there is one.

        Raises:
            TokenUnavailable: there was none within ``timeout`` seconds.
        """
        token = self.current()
        return token if token is not None else await self._wait(timeout)

    def current(self) -> str | None:
        """The token if there is one now; a new one is fetched in time, and nobody waits for it."""
        token = self._usable()
        if token is None:
            return None
        if self._monotonic() > token.fetched + token.lifetime - min(self._margin, token.lifetime / 2):
            self._refresh()
        return token.text

    def sure_until(self, text: str) -> float:
        """Until when (monotonic) a token lives even if its life began when it was asked for; of an older one: never."""
        token = self._token
        if token is None or token.text != text:
            return float("-inf")
        return token.fetched - token.took + token.lifetime

    async def refresh(self, rejected: str, timeout: float) -> str:
        """A token other than ``rejected``, which Adobe refused; a thousand callers cause one fetch.

        Raises:
            TokenUnavailable: there was none within ``timeout`` seconds.
        """
        if self._token is not None and self._token.text == rejected:
            if self._rejected != rejected:
                self._rejected_at = self._monotonic()
            self._rejected = rejected
        return await self.get(timeout)

    async def close(self) -> None:
        """Stop fetching."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)

    def _usable(self) -> Token | None:
        token = self._token
        if token is None or token.text == self._rejected or self._monotonic() >= token.fetched + token.lifetime:
            return None
        return token

    def _lost_at(self) -> float:
        """When the last token became of no use."""
        if self._token is None:
            return float("-inf")
        ends = self._token.fetched + self._token.lifetime
        return min(ends, self._rejected_at) if self._token.text == self._rejected else ends

    async def _wait(self, timeout: float) -> str:
        try:
            async with asyncio.timeout(timeout):
                while (token := self._usable()) is None:
                    await asyncio.shield(self._refresh())
        except TimeoutError:
            raise TokenUnavailable(self._reason) from None
        return token.text

    def _refresh(self) -> "asyncio.Task[None]":
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._fetch_until_there_is_one(), name="token")
        return self._fetching

    async def _fetch_until_there_is_one(self) -> None:
        pause = FIRST_PAUSE
        while True:
            began = self._monotonic()
            try:
                token = await self._fetch()
                if token.text == self._rejected:
                    raise FetchFailed("token endpoint: the token that was refused, again")  # noqa: TRY301 - waits like any other
                self._token = token
            except Exception as fault:  # noqa: BLE001 - whatever it was, the next one may bring a token
                # Of a kind that nobody foresaw only its name is told: its text may quote an address, or a secret.
                known = isinstance(fault, FetchFailed)
                self._reason = str(fault) if known else f"token endpoint: {type(fault).__name__}"
                self._ours = isinstance(fault, FetchFailed) and fault.ours
                self._by_proxy = isinstance(fault, FetchFailed) and fault.by_proxy
                if self._failing_since is None:
                    self._failing_since = began  # a fetch that hangs has failed from its start on
                log.warning("token-fetch-failed", reason=self._reason, pause=pause)
                await asyncio.sleep(pause * (0.5 + random() / 2))  # noqa: S311 - jitter
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                failed, self._failing_since = self._failing_since is not None, None
                if failed:
                    self.on_token()
                if token.remarks:
                    log.warning("token-answer-unusual", remarks=token.remarks)
                log.info("token-fetched", lifetime=token.lifetime)
                return


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
