"""The access token: cached, refreshed before it expires, by one caller at a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import random

import structlog

from ajo_worker.api.token_answer import FetchFailed

log = structlog.get_logger("ajo_worker.token")

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
"""Seconds between fetches that fail."""
PRESUMED = 5.0
"""Seconds for which a token that was refused for one campaign is still sent for others that tokens have worked for: by
then it has worked for them, or it was refused for them too, or there is a new one."""


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
        self._worked_at: dict[str, float] = {}
        self._refused_for: set[str] = set()
        self._refused_at = 0.0
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

    def worked(self, text: str, campaign: str, sent: float) -> None:
        """A call of this campaign, sent then (monotonic) with this token, got beyond the question who calls."""
        if self._token is not None and self._token.text == text:
            self._worked_at[campaign] = max(sent, self._worked_at.get(campaign, sent))

    def refused(self, text: str, campaign: str) -> None:
        """Adobe refused a call of this campaign for its token: another one is fetched.

        A permission that a single campaign lacks is no fault of the token: others go on with it meanwhile, for a moment
        if it or an older one has worked for them, and for as long as it works for them.
        """
        if self._token is not None and self._token.text == text and campaign not in self._refused_for:
            self._refused_for.add(campaign)
            self._refused_at = self._monotonic()
            self._refresh()

    async def refresh(self, rejected: str, timeout: float) -> str:
        """A token other than ``rejected``, which was refused; a thousand callers cause one fetch.

        The same one, if the endpoint gives it again, and others' calls work with it.

        Raises:
            TokenUnavailable: there was none within ``timeout`` seconds.
        """
        return await self._wait(timeout, rejected)

    async def close(self) -> None:
        """Stop fetching."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)

    @property
    def _works_still(self) -> bool:
        """Whether it has worked for others since it was refused."""
        return any(at > self._refused_at for name, at in self._worked_at.items() if name not in self._refused_for)

    @property
    def _rejected(self) -> bool:
        if not self._refused_for or self._works_still:
            return False
        return self._monotonic() >= self._refused_at + PRESUMED or self._worked_at.keys() <= self._refused_for

    def _usable(self) -> Token | None:
        token = self._token
        if token is None or self._rejected or self._monotonic() >= token.fetched + token.lifetime:
            return None
        return token

    def _lost_at(self) -> float:
        """When the last token became of no use."""
        if self._token is None:
            return float("-inf")
        ends = self._token.fetched + self._token.lifetime
        return min(ends, self._refused_at) if self._rejected else ends

    async def _wait(self, timeout: float, rejected: str | None = None) -> str:
        try:
            async with asyncio.timeout(timeout):
                if self._token is not None and self._token.text == rejected:
                    await asyncio.shield(self._refresh())
                while (token := self._usable()) is None:
                    await asyncio.shield(self._refresh())
                return token.text
        except TimeoutError:
            raise TokenUnavailable(self._reason) from None

    def _refresh(self) -> "asyncio.Task[None]":
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._fetch_until_there_is_one(), name="token")
        return self._fetching

    async def _fetch_until_there_is_one(self) -> None:
        pause = FIRST_PAUSE
        while True:
            began = self._monotonic()
            try:
                self._take(await self._fetch())
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
                return

    def _take(self, token: Token) -> None:
        if self._token is None or token.text != self._token.text:
            self._refused_for = set()
        elif self._refused_for and not self._works_still:
            raise FetchFailed("token endpoint: the token that was refused, again")
        self._token = token
        if token.remarks:
            log.warning("token-answer-unusual", remarks=token.remarks)
        log.info("token-fetched", lifetime=token.lifetime)
