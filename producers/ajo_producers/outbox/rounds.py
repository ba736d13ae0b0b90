"""One round of a relay: some rows of one way are locked, marked or published, and deleted, in one transaction.

What can't be marked stays as it was, and keeps no other row from being published and deleted. The transaction ends
after the broker's confirms, so whatever kills a relay leaves its rows to the next one; what the broker had by then
comes again with the same request id and content, and workers join it.
"""

import asyncio
import random
import time
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

import asyncpg

from ajo_producers.outbox import statements
from ajo_producers.outbox.opening import open_rows
from ajo_producers.outbox.table import SHARDS, WAYS, WIDE
from ajo_producers.publishing.checked import CheckedTrigger
from ajo_producers.publishing.errors import PublishError
from ajo_producers.publishing.outgoing import WINDOW_TRIGGERS
from ajo_producers.publishing.publisher import Publisher

if TYPE_CHECKING:
    from ajo_producers.contract.sealing import Sealer

MOST_ROWS = WINDOW_TRIGGERS
"""Of a round: one window of the publisher, whose confirms come together."""
MOST_BYTES = 8_000_000
CROWDED_SECONDS = 5.0
"""For how long a relay that met another one leaves it half of the shards."""
LOCK_TIMEOUT = "SET LOCAL lock_timeout = '2s'"
CURSOR_SECONDS = 1.0
"""Until a relay looks from the first row on again. In between it need not pass by all that it has just deleted."""


class Round(NamedTuple):
    """What came of a round. ``failure``: the broker did not confirm all; ``unmarked``: faulty rows can't be marked."""

    published: int = 0
    faulty: int = 0
    failure: PublishError | None = None
    unmarked: asyncpg.PostgresError | None = None


@dataclass
class _Cursor:
    """Up to where rows of these shards are done, for a moment."""

    after: int = 0
    held: frozenset[int] = frozenset()
    until: float = 0.0


@dataclass
class Rounds:
    """Rounds over the outbox ``table``, whose oid seeds its locks. Published rows are deleted, or kept marked."""

    table: str
    oid: int
    publisher: Publisher
    sealer: "Sealer | None"
    keeps: bool
    _crowded_until: dict[int, float] = field(default_factory=dict)
    _whole: set[int] = field(default_factory=set)
    _cursors: defaultdict[int, _Cursor] = field(default_factory=lambda: defaultdict(_Cursor))

    def sql(self, statement: str) -> str:
        """A statement about this outbox."""
        return statement.format(table=self.table)

    async def waiting(self, connection: asyncpg.Connection) -> list[int]:
        """The ways with something that waits, by their place in ``WAYS``."""
        return [row[0] for row in await connection.fetch(self.sql(statements.WAITING))]

    async def round(self, connection: asyncpg.Connection, way: int) -> Round:
        """One round of a way. ``PublishError`` is a part of its result; whatever the database meets is raised."""
        lane, priority = WAYS[way]
        async with connection.transaction():
            await connection.execute(statements.VANISHED_IN_A_ROUND)
            held = await self._lock(connection, way)
            if not held:
                return Round()
            rows = await self._read(connection, way, held)
            if not rows:
                return Round()
            opened = open_rows(rows, lane, priority, self.sealer)
            unmarked = await self._mark(connection, opened.faults)
            published, failure = await self._publish(opened.triggers)
            if published:
                await connection.execute(self.sql(statements.KEEP if self.keeps else statements.DELETE), published)
        if failure is not None:
            self._cursors.pop(way, None)
        return Round(len(published), 0 if unmarked else len(opened.faults), failure, unmarked)

    async def _mark(self, connection: asyncpg.Connection, faults: Mapping[int, str]) -> asyncpg.PostgresError | None:
        """Mark rows that can't be published, all or none; why not, if the database refuses.

        In a savepoint: a refusal would undo that others, which the broker has, are deleted.
        """
        if not faults:
            return None
        try:
            async with connection.transaction():
                await connection.execute(self.sql(statements.MARK_FAULTY), list(faults), list(faults.values()))
        except asyncpg.PostgresError as refusal:
            return refusal
        return None

    async def _lock(self, connection: asyncpg.Connection, way: int) -> frozenset[int]:
        """Lock shards of a way: all that are free, half of them if there are other relays, else wait for some."""
        shards = list(statements.ALL_SHARDS)
        if way in self._whole:
            self._whole.discard(way)
            return await self._await(connection, way, shards)
        random.shuffle(shards)
        crowded = self._crowded_until.get(way, 0.0) > time.monotonic()
        wanted = SHARDS // 2 if crowded else SHARDS
        keys = {f"{way} {shard}": shard for shard in shards}
        rows = await connection.fetch(statements.TRY_SHARDS, list(keys), self.oid, wanted)
        held = frozenset(keys[row[0]] for row in rows)
        if len(held) < wanted:
            self._crowded_until[way] = time.monotonic() + CROWDED_SECONDS
        return held or await self._await(connection, way, sorted(shards[: SHARDS // 2]))

    async def _await(self, connection: asyncpg.Connection, way: int, shards: Sequence[int]) -> frozenset[int]:
        """Wait for shards, in their order, so that relays don't lock each other out; none, if it takes too long."""
        try:
            async with connection.transaction():
                await connection.execute(LOCK_TIMEOUT)
                for shard in shards:
                    await connection.execute(statements.AWAIT_SHARD, f"{way} {shard}", self.oid)
        except asyncpg.LockNotAvailableError:
            return frozenset()
        return frozenset(shards)

    async def _read(self, connection: asyncpg.Connection, way: int, held: frozenset[int]) -> list[asyncpg.Record]:
        cursor, now = self._cursors[way], time.monotonic()
        if not held <= cursor.held or now > cursor.until:
            cursor.after, cursor.held, cursor.until = 0, held, now + CURSOR_SECONDS
        rows = await self._fetch(connection, way, held, cursor.after)
        if not rows and cursor.after:
            cursor.after = 0
            rows = await self._fetch(connection, way, held, 0)
        cursor.held = held
        if rows:
            cursor.after = rows[-1]["id"]
        elif len(held) < SHARDS and await connection.fetchval(self.sql(statements.FIRST_WIDE), *WAYS[way]) is not None:
            self._whole.add(way)  # what is next has recipients in several shards
        return rows

    async def _fetch(
        self, connection: asyncpg.Connection, way: int, held: frozenset[int], after: int
    ) -> list[asyncpg.Record]:
        whole = len(held) == SHARDS
        shards = [*held, WIDE] if whole else list(held)
        lane, priority = WAYS[way]
        sql = self.sql(statements.READ)
        return await connection.fetch(sql, lane, priority, shards, after, whole, MOST_ROWS, MOST_BYTES)

    async def _publish(self, triggers: Mapping[int, CheckedTrigger]) -> tuple[list[int], PublishError | None]:
        if not triggers:
            return [], None
        return await asyncio.to_thread(publish, self.publisher, triggers)


def publish(publisher: Publisher, triggers: Mapping[int, CheckedTrigger]) -> tuple[list[int], PublishError | None]:
    """Publish rows in their order; the ids of those that the broker confirmed, and why not all were."""
    rows: defaultdict[UUID, deque[int]] = defaultdict(deque)
    for row, trigger in triggers.items():
        rows[trigger.request_id].append(row)
    published: list[int] = []
    try:
        for receipts in publisher.publish_stream(triggers.values(), in_order=True):
            published += [rows[receipt.request_id].popleft() for receipt in receipts]
    except PublishError as failure:
        return published, failure
    return published, None
