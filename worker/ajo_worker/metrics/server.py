"""Serves the figures over HTTP, in Prometheus' text format; each scrape asks the ledger anew."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from ajo_producers.entrance.page import Page
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from ajo_worker.metrics.scrape import Scrape, missing, scrape, told


class Figures:
    """Reads the ledger, once at a time. ``say`` is told what is missing, each time it changes."""

    def __init__(self, url: Callable[[], str], seconds: float, say: Callable[[str], None]) -> None:
        self._url = url
        self._seconds = seconds
        self._say = say
        self._said: str | None = None
        self._turn = asyncio.Lock()

    async def page(self, accepted: str) -> tuple[str, bytes]:
        """All metrics of this moment in a form that is ``accepted``: its content type, and its bytes."""
        encode, kind = choose_encoder(accepted)
        registry = CollectorRegistry()
        registry.register(_Read(told(await self._scrape())))
        return kind, encode(registry)

    async def _scrape(self) -> Scrape:
        try:
            async with asyncio.timeout(self._seconds):
                await self._turn.acquire()
        except TimeoutError:
            return Scrape(fault="another scrape is under way")
        try:
            found = await scrape(self._url(), self._seconds)
        finally:
            self._turn.release()
        if (news := missing(found)) != self._said:
            self._said = news
            self._say(news or "the ledger is read again")
        return found


class _Read(Collector):
    """Metrics that were read."""

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        """Them."""
        return self._metrics


async def serve(figures: Figures, host: str, port: int) -> tuple[asyncio.Server, int]:
    """Begin to serve on the running loop; the server, and its port. Port 0 is a free one.

    Raises:
        OSError: the address can't be listened on.
    """
    server = await Page(figures.page).serve(host, port)
    return server, server.sockets[0].getsockname()[1]
