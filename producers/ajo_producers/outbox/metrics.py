"""A relay's metrics over HTTP, for Prometheus, and what it says when triggers wait for too long."""

import asyncio
import time
from contextlib import suppress

from ajo_producers.entrance.page import Page
from ajo_producers.outbox.database import OutboxUnavailable
from ajo_producers.outbox.lag import Lag, look, metrics
from ajo_producers.outbox.relay import Relay

LOOK_SECONDS = 15.0
"""Between two looks at the lag."""
FRESH_SECONDS = 2.0
"""A look that is younger serves for a scrape too."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """What a relay tells of its outbox: to whoever scrapes, and on its own if the oldest trigger is late."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._lag: Lag | None = None
        self._looked_at = float("-inf")
        self._looking = asyncio.Lock()
        self._late = False

    async def keep_watch(self) -> None:
        """Look now and then, without end, and say once when triggers are late, and once when they are not any more."""
        while True:
            lag, late = await self.lag(), self._relay.settings.late
            if lag is not None and (lag.oldest_seconds > late) is not self._late:
                self._late = not self._late
                said = f"{lag.waiting:,} triggers wait in the outbox, the oldest since {lag.oldest_seconds:.0f} s"
                self._relay.say(said if self._late else f"no trigger waits for more than {late:g} s any more")
            await asyncio.sleep(LOOK_SECONDS)

    async def lag(self) -> Lag | None:
        """The state of the outbox; None if it can't be read, which the relay itself says."""
        async with self._looking:
            if time.monotonic() - self._looked_at > FRESH_SECONDS:
                self._lag = None
                with suppress(OutboxUnavailable):
                    self._lag = await look(self._relay.settings)
                self._looked_at = time.monotonic()
            return self._lag

    async def serve(self, host: str, port: int) -> asyncio.Server:
        """Serve them at every path; ``port`` 0 is a free one.

        Raises:
            OSError: the port can't be had.
        """
        return await Page(self._page).serve(host, port)

    async def _page(self, _accepted: str) -> tuple[str, bytes]:
        counts, late = self._relay.counts, self._relay.settings.late
        text = metrics(await self.lag(), published=counts.published, broker=counts.broker, late=late)
        return CONTENT_TYPE, text.encode()
