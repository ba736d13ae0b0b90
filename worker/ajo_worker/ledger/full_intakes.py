"""When a worker had no room for what waits in a lane, and why: told with its heartbeats."""

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

    async def tell(self, connection: asyncpg.Connection) -> None:
        """Say in the ledger what is new."""
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
