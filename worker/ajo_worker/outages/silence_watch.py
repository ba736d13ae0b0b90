"""What follows from a silence: waits end, it is logged once, and it gets a row in the ledger."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from uuid import UUID

import structlog

from ajo_worker.ledger import silences
from ajo_worker.ledger.shared_connection import SharedConnection
from ajo_worker.limits.slots import Slots
from ajo_worker.outages.scope import lane_of
from ajo_worker.outages.silences import Silences

log = structlog.get_logger("ajo_worker.outages")


@dataclass(slots=True)
class _Period:
    scope: str
    began: float
    calls: int
    ended: float | None = None
    began_at: datetime | None = None
    """Its name in the ledger, once it is there."""


@dataclass(slots=True)
class SilenceWatch:
    """This worker's silences; instants are monotonic."""

    silences: Silences
    slots: Slots
    monotonic: Callable[[], float]
    _lasting: dict[str, _Period] = field(default_factory=dict)
    _untold: deque[_Period] = field(default_factory=deque)

    def look(self) -> bool:
        """See what is silent, and let nobody wait here who should wait elsewhere; whether anything began or ended."""
        now, found, changed = self.monotonic(), self.silences.look(), False
        for period in list(self._lasting.values()):
            if found.get(period.scope) != period.began:
                del self._lasting[period.scope]
                period.ended = now
                changed = True
                log.info("silence-over", scope=period.scope, seconds=round(now - period.began, 1))
        for scope, began in found.items():
            if scope not in self._lasting:
                period = self._lasting[scope] = _Period(scope, began, self.silences.open_calls(scope))
                self._untold.append(period)
                changed = True
                log.warning("silence-began", scope=scope, calls=period.calls)
                self.slots.turn_away(self.silences.campaigns(scope))
        self.silences.send_back()
        return changed

    async def record(self, ledger: SharedConnection, worker: UUID) -> None:
        """Tell the ledger what began and what ended."""
        for period in list(self._untold):
            scope, lane = period.scope, lane_of(period.scope) or ""
            if period.began_at is None:
                ago = self.monotonic() - period.began
                begin = partial(silences.begin, worker=worker, scope=scope, lane=lane, ago=ago, calls=period.calls)
                period.began_at = await ledger.run(begin)
            if period.ended is not None:
                ago = self.monotonic() - period.ended
                await ledger.run(partial(silences.end, worker=worker, scope=scope, began_at=period.began_at, ago=ago))
                self._untold.remove(period)
