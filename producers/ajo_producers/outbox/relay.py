"""The relay: publishes what an outbox holds, and outlives whatever its database and the broker do."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import asyncpg

from ajo_producers.outbox import statements
from ajo_producers.outbox.database import FAULTS, OutboxUnavailable, connect, explain
from ajo_producers.outbox.rounds import Rounds
from ajo_producers.outbox.settings import RelaySettings
from ajo_producers.outbox.watch import EAR_SECONDS, Watch, first_of
from ajo_producers.publishing.publisher import Publisher

if TYPE_CHECKING:
    from ajo_producers.contract.sealing import Sealer

PURGE_SECONDS = 60.0
BLOCKED_SECONDS = 0.05
"""Until the next look at rows that somebody else has locked."""
FIRST_SECONDS, LONGEST_SECONDS = 0.5, 30.0
"""Until the next try where something is away: twice as long each time."""


@dataclass
class Counts:
    """What a relay has done, and what it misses."""

    published: int = 0
    faulty: int = 0
    rounds: int = 0
    database: bool = False
    broker: bool = True


@dataclass
class Relay:
    """Publishes until ``stop`` is set; then what is on its way gets its confirms. ``say`` takes lines for people."""

    settings: RelaySettings
    publisher: Publisher
    sealer: "Sealer | None"
    say: Callable[[str], None]
    stop: asyncio.Event
    counts: Counts = field(default_factory=Counts)

    def __post_init__(self) -> None:
        """Nothing is in trouble yet."""
        self._database = Trouble("the outbox's database", self.say)
        self._marks = Trouble("the marking of faulty rows", self.say)
        self._brokers: dict[int, Trouble] = {}
        self._not_before: dict[int, float] = {}
        self._purge_at = 0.0

    async def run(self) -> None:
        """Relay until ``stop`` is set; no fault of the database or the broker ends it."""
        while not self.stop.is_set():
            try:
                await self._session()
            except OutboxUnavailable as fault:
                reason = str(fault)
            except FAULTS as fault:
                reason = explain(self.settings, fault)
            else:
                continue
            self.counts.database = False
            await first_of(self.stop, seconds=self._database.met(reason))

    async def _session(self) -> None:
        """Relay over one pair of connections, until one breaks."""
        work = await connect(self.settings)
        ear: asyncpg.Connection | None = None
        try:
            ear = await connect(self.settings, EAR_SECONDS)
            oid = await work.fetchval(statements.OID.format(table=self.settings.table))
            rounds = Rounds(self.settings.table, oid, self.publisher, self.sealer, self.settings.keep > 0)
            await rounds.waiting(work)  # the right to read is there
            for right in (statements.MAY_DELETE, statements.MAY_UPDATE):  # else what is published comes again and again
                await work.execute(rounds.sql(right))
            if self.sealer is not None:
                await work.execute(rounds.sql(statements.RETRY_KEYS), list(self.sealer.key_ids))
            watch = Watch(ear, oid, self.settings.poll)
            if not await watch.begin(work):
                self.say(f"no notifications arrive (a pooler in between?): it looks every {self.settings.poll:g} s")
            self._database.over()
            self.counts.database = True
            while not self.stop.is_set():
                found = await self._work_off(rounds, work)
                if await watch.shut():
                    found = await self._work_off(rounds, work) or found  # what came while the gate was open
                await watch.wait(self.stop, found=found)
                await self._purge(rounds, work)
        finally:
            for connection in (work, ear):
                if connection is not None:
                    connection.terminate()

    async def _work_off(self, rounds: Rounds, work: asyncpg.Connection) -> bool:
        """Publish until nothing waits, or ``stop``; whether there was anything.

        A way whose messages the broker refuses keeps no other one waiting.
        """
        found = False
        while not self.stop.is_set():
            ways = await rounds.waiting(work)
            if not ways:
                break
            now = time.monotonic()
            due = [way for way in ways if self._not_before.get(way, 0.0) <= now]
            if not due:
                await first_of(self.stop, seconds=self._until_due(ways, now))
                continue
            moved = False
            for way in due:
                if not self.stop.is_set():
                    moved = await self._round(rounds, work, way) or moved
            found = found or moved
            if not moved:
                await first_of(self.stop, seconds=BLOCKED_SECONDS)
        return found

    def _until_due(self, ways: list[int], now: float) -> float:
        """Seconds; no longer than until the next look, since something may come that goes another way."""
        return min(min(self._not_before[way] for way in ways) - now, self.settings.poll)

    async def _round(self, rounds: Rounds, work: asyncpg.Connection, way: int) -> bool:
        done = await rounds.round(work, way)
        self.counts.rounds += 1
        self.counts.published += done.published
        self.counts.faulty += done.faulty
        if done.faulty:
            self.say(f"rows that can't be published: {done.faulty}; 'ajo-dispatch outbox status' shows them")
            self._marks.over()
        if done.failure is not None:
            trouble = self._brokers.setdefault(way, Trouble("the broker", self.say))
            self._not_before[way] = time.monotonic() + trouble.met(str(done.failure))
        elif done.published:
            for trouble in self._brokers.values():
                trouble.over()
            self._not_before.clear()
        if done.unmarked is not None:
            told = f"rows that can't be published can't be marked: {explain(self.settings, done.unmarked)}"
            pause = min(self._marks.met(told), self.settings.poll)  # what comes behind them waits no longer than that
            self._not_before[way] = max(self._not_before.get(way, 0.0), time.monotonic() + pause)
        self.counts.broker = done.failure is None
        return bool(done.published or done.faulty)

    async def _purge(self, rounds: Rounds, work: asyncpg.Connection) -> None:
        """Delete what was kept for long enough, now and then."""
        if not rounds.keeps or time.monotonic() < self._purge_at:
            return
        await work.execute(rounds.sql(statements.PURGE), self.settings.keep)
        self._purge_at = time.monotonic() + PURGE_SECONDS


class Trouble:
    """One part that may be away, such as the broker. ``say`` takes lines for people."""

    def __init__(self, what: str, say: Callable[[str], None]) -> None:
        self._what = what
        self._say = say
        self._since: float | None = None
        self._told = ""
        self._pause = FIRST_SECONDS

    @property
    def lasts(self) -> bool:
        """Whether it is away."""
        return self._since is not None

    def met(self, reason: str) -> float:
        """It is away: said once for each reason. Returns the seconds until the next try, which grow to 30."""
        if self._since is None:
            self._since = time.monotonic()
        if reason != self._told:
            self._say(f"{reason}; it is tried again until it works, and nothing is lost meanwhile")
            self._told = reason
        pause = self._pause
        self._pause = min(2 * pause, LONGEST_SECONDS)
        return pause * random.uniform(0.75, 1.0)  # noqa: S311 - so that several relays don't come at once

    def over(self) -> None:
        """It works: said once."""
        if self._since is not None:
            self._say(f"{self._what} is back, after {time.monotonic() - self._since:.1f} s")
        self._since, self._told, self._pause = None, "", FIRST_SECONDS
