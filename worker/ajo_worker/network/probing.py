"""A worker probes the way to its endpoints now and then, and writes down what it found; nobody waits for it."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from random import random
from uuid import UUID

import asyncpg
import structlog

from ajo_worker.api.request import Endpoint
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.ledger.recurring import Recurring
from ajo_worker.network import probes
from ajo_worker.network.destination import Destination, destinations, routed, token_destination
from ajo_worker.network.probes import Probe
from ajo_worker.network.way import Way, explore
from ajo_worker.settings.proxies import Proxies

log = structlog.get_logger("ajo_worker.network")

STEP_SECONDS = 5.0
"""What each step may take."""
JITTER = 0.1
"""Share of the interval by which a round is earlier or later, so that workers don't stay in step."""
FRESH = 0.8
"""Share of the interval within which another worker's probe makes one of our own needless."""


class NetworkProbes(Recurring):
    """Probes what nobody has probed just now; triggers are sent without probes just as well.

    Of all workers one probes an endpoint at a time, whichever comes first: the way from each of them is seen in turn.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[asyncpg.Connection]],
        worker_id: UUID,
        clock: LedgerClock,
        found: Iterable[Destination],
        tls: ssl.SSLContext,
        *,
        every: float,
    ) -> None:
        super().__init__(connect, name="network-probes", failed="network-probes-failed", log=log)
        self._worker_id = worker_id
        self._clock = clock
        self._destinations = {one.endpoint: one for one in found}
        self._tls = tls
        self._every = every

    def start(self) -> None:
        """Begin, unless it is off; needs a running event loop."""
        if self._every > 0:
            super().start()

    async def work(self, connection: asyncpg.Connection) -> None:
        """One probe of each endpoint that is due; a step that is cut off ends by itself, on a thread of its own."""
        ours = await probes.claim(connection, self._destinations, FRESH * self._every)
        made = await asyncio.gather(*(self._probe(self._destinations[endpoint]) for endpoint in ours))
        await probes.note(connection, made)
        for probe in made:
            if probe.failure is not None:
                log.warning("network-probe", endpoint=probe.endpoint, failure=probe.failure)

    def pause(self, *, failed: bool | None) -> float:
        """A random part of the interval first, and then the interval, more or less: workers don't stay in step."""
        if failed is None:
            return self._every * random()  # noqa: S311 - jitter
        return self._every * (1 + JITTER * (2 * random() - 1))  # noqa: S311 - jitter

    async def _probe(self, destination: Destination) -> Probe:
        began = self._clock.now()
        way = await explore(destination, self._tls, STEP_SECONDS)
        return probe_of(destination, way, self._worker_id, began)


def probe_of(destination: Destination, way: Way, worker: UUID, began: datetime) -> Probe:
    """The ledger's row of a way. Pure."""
    return Probe(
        worker=worker,
        probed_at=began,
        endpoint=destination.endpoint,
        campaigns=destination.campaigns,
        seconds={str(step): seconds for step, seconds in way.took.items()},
        address=way.address,
        http_status=way.answer.status if way.answer else None,
        failure=way.failure,
        certificate_expires_at=way.certificate_expires_at,
    )


def probed(
    endpoints: Mapping[str, Endpoint], base_url: str | None, token_url: str, proxies: Proxies
) -> list[Destination]:
    """All that a worker's calls depend on: the hosts of campaigns, by name, and that of the token, each once. Pure."""
    campaigns = destinations(endpoints, base_url)
    token = token_destination(token_url)
    known = token.endpoint in {one.endpoint for one in campaigns}
    return routed(campaigns if known else [*campaigns, token], proxies)
