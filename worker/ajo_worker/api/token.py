"""The access token: cached, refreshed before it expires, by one caller at a time."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import random

import httpx2
import msgspec
import structlog

from ajo_worker.settings import Settings

log = structlog.get_logger("ajo_worker.token")

FETCH_TIMEOUT = 15.0
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
"""Seconds between fetches that fail."""
LIFETIME = 3600.0
"""Seconds that a token is taken to live where the answer doesn't say."""


class TokenUnavailable(Exception):  # noqa: N818 - says what it found
    """There is no token, and the wait for one was too long; the text says why the last fetch failed."""


class FetchFailed(Exception):  # noqa: N818 - says what it found
    """One fetch brought no token; the text is the reason, without anything secret."""


@dataclass(frozen=True, slots=True)
class Token:
    """An access token; ``fetched`` is monotonic, ``lifetime`` in seconds."""

    text: str = field(repr=False)
    fetched: float
    lifetime: float


Fetch = Callable[[], Awaitable[Token]]


class TokenProvider:
    """Gives the cached token. One fetch runs at a time, in the background, and goes on until it has a token."""

    def __init__(self, fetch: Fetch, *, margin: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._margin = margin
        self._monotonic = monotonic
        self._token: Token | None = None
        self._rejected: str | None = None
        self._fetching: asyncio.Task[None] | None = None
        self._reason = "no answer yet"
        self._failing_since: float | None = None

    @property
    def failing(self) -> tuple[float, str] | None:
        """Since when (monotonic) every fetch has failed, and why the newest one did; None if the newest did not."""
        return None if self._failing_since is None else (self._failing_since, self._reason)

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

    async def refresh(self, rejected: str, timeout: float) -> str:
        """A token other than ``rejected``, which Adobe refused; a thousand callers cause one fetch.

        Raises:
            TokenUnavailable: there was none within ``timeout`` seconds.
        """
        if self._token is not None and self._token.text == rejected:
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
            try:
                token = await self._fetch()
                if token.text == self._rejected:
                    raise FetchFailed("token endpoint: the token that was refused, again")  # noqa: TRY301 - waits like any other
                self._token = token
            except FetchFailed as failed:
                self._reason = str(failed)
                if self._failing_since is None:
                    self._failing_since = self._monotonic()
                log.warning("token-fetch-failed", reason=self._reason, pause=pause)
                await asyncio.sleep(pause * (0.5 + random() / 2))  # noqa: S311 - jitter
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                self._failing_since = None
                log.info("token-fetched", lifetime=token.lifetime)
                return


class _Answer(msgspec.Struct):
    access_token: str
    expires_in: float = LIFETIME


def token_fetch(
    settings: Settings, client: httpx2.AsyncClient, monotonic: Callable[[], float] = time.monotonic
) -> Fetch:
    """A fetch from the token endpoint: OAuth server-to-server, ``client_credentials``, form-encoded."""
    form = {
        "grant_type": "client_credentials",
        "client_id": settings.client_id,
        "client_secret": settings.client_secret.get_secret_value(),
        "scope": settings.scopes,
    }

    async def fetch() -> Token:
        try:
            answer = await client.post(settings.token_url, data=form)
        except httpx2.HTTPError as fault:
            raise FetchFailed(f"token endpoint: {type(fault).__name__}") from None
        if answer.status_code != 200:  # noqa: PLR2004 - HTTP's number for it
            raise FetchFailed(f"token endpoint: status {answer.status_code}{_oauth_error(answer.content)}")
        try:
            content = msgspec.json.decode(answer.content, type=_Answer)
        except msgspec.DecodeError:
            raise FetchFailed("token endpoint: the answer holds no access_token") from None
        # Counted from the answer: from the question, a slow endpoint's short-lived tokens would never be of use. One
        # that has expired after all is refused, and refreshed.
        return Token(content.access_token, monotonic(), max(content.expires_in, 1.0))

    return fetch


def token_client(settings: Settings, tls: ssl.SSLContext) -> httpx2.AsyncClient:
    """The HTTP client of the token endpoint; it follows no redirect and uses no proxy."""
    timeout = httpx2.Timeout(FETCH_TIMEOUT, connect=settings.connect_timeout)
    return httpx2.AsyncClient(verify=tls, timeout=timeout, trust_env=False, follow_redirects=False)


def _oauth_error(body: bytes) -> str:
    """The ``error`` word of RFC 6749, 5.2; nothing else of the answer is shown."""
    try:
        error = msgspec.json.decode(body, type=dict[str, object]).get("error")
    except msgspec.DecodeError:
        return ""
    return f", {error}" if isinstance(error, str) and error.isascii() and error.replace("_", "").isalnum() else ""
