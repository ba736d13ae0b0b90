"""When a worker had no room, or no time, for what waits in a lane, and why: told with its heartbeats."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import asyncpg

from ajo_worker.ledger.clock import LedgerClock

FULL = """
    INSERT INTO ledger.full_intakes (worker, began_at, ended_at, lane, because) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (worker, began_at, lane) DO UPDATE SET ended_at = excluded.ended_at
"""


EVERY, LATE = 0.1, 0.4
"""Seconds between two turns of the watch, and from when on one is so late that the worker had no time for anything."""
MOST_STARVED = 200
"""Times without time that are kept until the ledger takes them: the newest."""
NO_TIME = "intake"
"""The phase of what waits since our loop doesn't come round to it."""


@dataclass(slots=True)
class _Told:
    """What was told of a full lane: the while's begin and end (monotonic), the row's begin, and why."""

    since: float
    until: float
    began: datetime
    because: str | None


class FullIntakes:
    """Of one worker; on the event loop."""

    def __init__(self, worker_id: UUID, clock: LedgerClock) -> None:
        self._worker_id, self._clock = worker_id, clock
        self.lanes: Callable[[], Mapping[str, tuple[float, float]]] = dict
        """Since when and until when (monotonic) no further message of a lane could be taken."""
        self.because: Callable[[str], str | None] = lambda _: None
        """The phase that most of the time of what a lane has in hand went into, since this was asked last."""
        self._told: dict[str, _Told] = {}
        self._starved: deque[tuple[float, float]] = deque(maxlen=MOST_STARVED)
        self._present = float("inf")

    def present(self, since: float) -> None:
        """The ledger counts this worker as present since then (monotonic); it may take nothing for a while yet."""
        self._present = min(self._present, since)

    async def watch(self) -> None:
        """Notice when this process gets no time: frozen, or on a machine that is too busy. Never ends.

        It begins once the worker is about to take: what passed until then, while it was present, is no wait for others.
        """
        if (now := self._clock.monotonic()) > self._present + LATE:
            self._starved.append((self._present, now))
        while True:
            due = self._clock.monotonic() + EVERY
            await asyncio.sleep(EVERY)
            if (now := self._clock.monotonic()) > due + LATE:
                self._starved.append((due, now))

    async def tell(self, connection: asyncpg.Connection) -> None:
        """Say in the ledger what is new."""
        while self._starved:
            since, until = self._starved[0]
            began = self._clock.at(since)
            ended = max(self._clock.at(until), began)
            await connection.execute(FULL, self._worker_id, began, ended, None, NO_TIME)
            self._starved.popleft()
        for lane, (since, until) in self.lanes().items():
            told = self._told.get(lane)
            if told is not None and told.until == until:
                continue
            because = self.because(lane)
            # Converted once: the ledger's clock is estimated anew with each beat, and this instant is part of a key.
            if told is None or told.since != since:
                told = _Told(since, until, self._clock.at(since), because)
            elif because is not None and because != told.because:
                told = _Told(since, until, self._clock.at(told.until), because)
            else:
                told = replace(told, until=until)
            ended = max(self._clock.at(until), told.began)
            await connection.execute(FULL, self._worker_id, told.began, ended, lane, told.because)
            self._told[lane] = told
