"""What is slowed now, and how much waits: in the broker, with workers, parked."""

from datetime import datetime, timedelta

import asyncpg
from msgspec import Struct

FRESH = timedelta(seconds=45)
"""Workers look every ten seconds: what is older, no worker has seen since."""


class SlowRate(Struct, frozen=True):
    """What slows a lane or a campaign, or keeps it back; no lane: all of them, no campaign: the whole lane.

    ``share`` (0 to 1) is the part of ``rate_limit`` that is left, ``calls_per_second`` how many calls that are; None
    where that is not known. ``newest_at`` is when a 429 slowed it last.
    """

    scope: str
    lane: str | None
    campaign: str | None
    cause: str
    reason: str | None
    since: datetime
    until: datetime | None
    newest_at: datetime | None
    share: float | None
    calls_per_second: float | None
    rate_limit: float | None


class Queue(Struct, frozen=True):
    """Messages that wait: ``messages`` in the broker at ``looked_at``, ``unopened`` with workers that have taken them.

    ``minute_ago`` is both together a minute before, ``workers`` how many consume its lane; None where nobody knows.
    """

    queue: str
    lane: str
    looked_at: datetime
    messages: int
    unopened: int
    minute_ago: int | None
    workers: int | None


class Waiting(Struct, frozen=True):
    """Triggers of a campaign: ``waiting`` with workers, for their turn or their back-off, and ``parked``."""

    lane: str
    campaign: str
    waiting: int
    parked: int


class Backlog(Struct, frozen=True):
    """All of it, at one moment; ``unseen`` is why the broker was not asked where no worker has looked of late."""

    at: datetime
    slow_rates: list[SlowRate]
    queues: list[Queue]
    waiting: list[Waiting]
    unseen: str | None = None

    @property
    def fresh(self) -> bool:
        """Whether somebody has looked into the broker just now."""
        return bool(self.queues) and max(one.looked_at for one in self.queues) > self.at - FRESH


SLOW_RATES = "SELECT * FROM audit.slow_rates ORDER BY share NULLS FIRST, scope"
QUEUES = "SELECT * FROM audit.queues ORDER BY queue"
WAITING = "SELECT * FROM audit.waiting WHERE waiting + parked > 0 ORDER BY lane, campaign"


async def backlog(connection: asyncpg.Connection) -> Backlog:
    """What is slowed, and what waits."""
    return Backlog(
        at=await connection.fetchval("SELECT now()"),
        slow_rates=[SlowRate(**row) for row in await connection.fetch(SLOW_RATES)],
        queues=[Queue(**row) for row in await connection.fetch(QUEUES)],
        waiting=[Waiting(**row) for row in await connection.fetch(WAITING)],
    )
