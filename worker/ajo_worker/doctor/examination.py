"""The whole examination: every check at the same time, told in a fixed order, and none able to stop another."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from ajo_producers.campaigns.definition import Definition

from ajo_worker.daemon_threads import DaemonThreads
from ajo_worker.doctor import campaigns
from ajo_worker.doctor.bounds import bounded, surely
from ajo_worker.doctor.broker import examine_broker
from ajo_worker.doctor.check import Check, skipped
from ajo_worker.doctor.clocks import CLOCKS, judge_clocks
from ajo_worker.doctor.database_wire import clock_offset, examine_database
from ajo_worker.doctor.endpoint import Visited, find_ways, judge_ways, visit
from ajo_worker.doctor.flower import FLOWER, look_at_flower
from ajo_worker.doctor.settings import examine_settings, readable_settings, trust, unread
from ajo_worker.doctor.token import TOKEN, Fetched, fetch_token
from ajo_worker.doctor.workers import NO_LEDGER, WORKERS, look_at_workers
from ajo_worker.network.destination import Destination, destinations, routed, token_destination


async def examine(tell: Callable[[Check], None], *, seconds: float, flower: str | None) -> list[Check]:
    """Check everything, each check for ``seconds`` at most; ``tell`` is called for each in its turn.

    Nothing is changed anywhere. The one message that is published goes to a queue that ends with its connection.
    """
    asyncio.get_running_loop().set_default_executor(DaemonThreads())
    examination = Examination(seconds, flower)
    parts = (
        examination.settings,
        examination.campaigns,
        examination.broker,
        examination.database,
        examination.proxy,
        examination.token,
        examination.endpoints,
        examination.clocks,
        examination.workers,
        examination.flower,
    )
    told: list[Check] = []
    for part in [asyncio.create_task(surely(part.__name__, part())) for part in parts]:
        for check in await part:
            tell(check)
            told.append(check)
    return told


class Defined(NamedTuple):
    """The checks of the campaigns, their definitions, and where their calls go."""

    checks: list[Check]
    definitions: Sequence[Definition]
    destinations: list[Destination]


class Examination:
    """Its parts, each with its checks; what several of them need is done once. Create it on a running event loop."""

    def __init__(self, seconds: float, flower: str | None) -> None:
        self._seconds = seconds
        self._flower = flower
        self._readable = readable_settings()
        self._authorities, self._tls = trust(self._readable)
        self._ways = find_ways(self._readable)
        self._defined = asyncio.create_task(self._define())
        self._database = asyncio.create_task(examine_database(self._readable, seconds))
        self._token = asyncio.create_task(self._fetch_token())
        self._visits = asyncio.create_task(self._visit_all())

    async def settings(self) -> list[Check]:
        """What the environment says."""
        return [*examine_settings(self._readable), self._authorities]

    async def campaigns(self) -> list[Check]:
        """The campaign definitions."""
        return (await self._defined).checks

    async def broker(self) -> list[Check]:
        """RabbitMQ, Redis or Valkey."""

        async def definitions() -> Sequence[Definition]:
            return (await self._defined).definitions

        return await examine_broker(self._readable, definitions, self._seconds)

    async def database(self) -> list[Check]:
        """PostgreSQL."""
        return await self._database

    async def proxy(self) -> list[Check]:
        """The ways that calls take."""
        if isinstance(self._ways, Check):
            return [self._ways]
        found = (await self._defined).destinations
        if not self._readable.wrong_of("token_url"):
            found = [*found, *routed([token_destination(self._readable.settings.token_url)], self._ways)]
        return [judge_ways(found)]

    async def token(self) -> list[Check]:
        """The access token."""
        return [(await self._token).check]

    async def endpoints(self) -> list[Check]:
        """The way to each host that calls go to."""
        found = [check for visited in await self._visits for check in visited.checks]
        if isinstance(self._ways, Check):
            return [skipped("endpoint", "see proxy")]
        return found or [skipped("endpoint", "no definition says where it is: see campaigns")]

    async def clocks(self) -> list[Check]:
        """The clocks of all of these."""
        asked = bounded(CLOCKS, self._seconds, clock_offset(self._readable))
        database, visits = await asyncio.gather(asked, self._visits)
        offsets = [database, *(visited.offset for visited in visits)]
        # A database that can't be asked has its own failed check.
        return [judge_clocks(offset for offset in offsets if offset is not None and not isinstance(offset, Check))]

    async def workers(self) -> list[Check]:
        """The workers that live."""
        if (await self._database)[0].status != "ok":
            return [NO_LEDGER]
        return [await bounded(WORKERS, self._seconds, look_at_workers(self._readable))]

    async def flower(self) -> list[Check]:
        """Flower, if asked for."""
        return [await bounded(FLOWER, self._seconds, look_at_flower(self._flower, self._seconds))]

    async def _define(self) -> Defined:
        if wrong := self._readable.wrong_of("campaigns", "base_url", "allowed_hosts"):
            return Defined([unread(campaigns.FOLDER, wrong)], (), [])
        settings = self._readable.settings

        def look() -> Defined:
            loaded = campaigns.load(settings.campaigns)
            endpoints = campaigns.endpoints(loaded.definitions, settings)
            checks = [
                campaigns.judge_folder(loaded),
                campaigns.judge_hosts(endpoints),
                campaigns.judge_windows(loaded.definitions, datetime.now(UTC)),
            ]
            found = destinations(endpoints, settings.base_url)
            ways = [] if isinstance(self._ways, Check) else routed(found, self._ways)
            return Defined(checks, tuple(loaded.definitions.values()), ways)

        found = await bounded(campaigns.FOLDER, self._seconds, asyncio.to_thread(look))
        return Defined([found], (), []) if isinstance(found, Check) else found

    async def _fetch_token(self) -> Fetched:
        needed = ("token_url", "client_id", "client_secret", "scopes", "connect_timeout")
        if wrong := self._readable.wrong_of(*needed):
            return Fetched(unread(TOKEN, wrong))
        if self._tls is None:
            return Fetched(skipped(TOKEN, "see certificate authorities"))
        if isinstance(self._ways, Check):
            return Fetched(skipped(TOKEN, "see proxy"))
        settings = self._readable.settings
        if not (settings.client_id and settings.client_secret.get_secret_value()):
            return Fetched(skipped(TOKEN, "there is nothing to fetch one with: see client id and secret"))
        return await fetch_token(settings, self._tls, self._seconds)

    async def _visit_all(self) -> list[Visited]:
        ways = (await self._defined).destinations
        token = (await self._token).token
        return await asyncio.gather(*(visit(way, self._tls, token, self._seconds) for way in ways))
