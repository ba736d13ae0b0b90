"""The way between a process and the ledger: what arrives when, what is lost, and when the ledger is away."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
from ajo_worker.ledger.ledger import COMMAND_TIMEOUT

from tests.support.simulation.loops import Loop, World
from tests.support.simulation.tables import Tables

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
"""The ledger's time at the begin of a simulation."""
WAY = 0.004
"""Seconds that a statement, and its answer, is under way."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one statement: seconds ``there`` and ``back``; whether it arrives, whether its answer does."""

    there: float = WAY
    back: float = WAY
    arrives: bool = True
    answered: bool = True


USUAL = Fate()


class Network:
    """One ledger, and the ways to it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.tables = Tables(started_at=START - timedelta(days=1))
        self.fates: dict[tuple[Loop, str], Fate] = {}
        self._away: dict[Loop | None, float] = {}
        self._held_back: dict[Loop, float] = {}
        self._clock_error = timedelta()
        self.clock_was_set = False

    def now(self) -> datetime:
        """The ledger's time."""
        return self.true_now() + self._clock_error

    def true_now(self) -> datetime:
        """The time by a clock that nobody sets."""
        return START + timedelta(seconds=self.world.now)

    def set_clock(self, seconds: float) -> None:
        """Set the ledger's clock forward or back."""
        self.clock_was_set = True
        self._clock_error += timedelta(seconds=seconds)

    def cut(self, loop: Loop | None, seconds: float) -> None:
        """Nothing arrives from a process (from all, for None) for a while: connections break, and none can be made."""
        self.world.disturbed = True
        self._away[loop] = self.world.now + seconds

    def seal(self, loop: Loop, kind: str, fate: Fate) -> None:
        """Decide what becomes of a process's next statement of a kind."""
        self.world.disturbed = True
        self.fates[loop, kind] = fate

    def hold_back(self, loop: Loop, seconds: float) -> None:
        """Whatever would come to a process within that time comes at its end."""
        self._held_back[loop] = self.world.now + seconds

    def restart(self, seconds: float) -> None:
        """The ledger is away for a while, and starts anew."""
        self.cut(None, seconds)
        self.world.later(seconds, self._started)

    def is_away(self) -> bool:
        """Whether any process can't reach the ledger now."""
        return any(until > self.world.now for until in self._away.values())

    def is_cut(self, loop: Loop) -> bool:
        """Whether a process can't reach the ledger now."""
        return any(self._away.get(key, 0.0) > self.world.now for key in (loop, None))

    def carry(self, kind: str, loop: Loop, do: Callable[[], Any]) -> "asyncio.Future[Any]":
        """Send a process's statement on its way; its answer, or its loss, comes to the future."""
        answer = loop.create_future()
        fate = self.fates.pop((loop, kind), USUAL)
        self.world.mark(f"asked {kind}", loop)
        if self.is_cut(loop) or not (fate.arrives and fate.answered):
            self.world.later(WAY, lambda: _settle(loop, answer, asyncpg.ConnectionDoesNotExistError("lost")))
        if fate.arrives and not self.is_cut(loop):
            self.world.later(fate.there, lambda: self._arrive(kind, loop, do, fate, answer))
        timer = loop.call_later(COMMAND_TIMEOUT, lambda: _settle(loop, answer, TimeoutError()))
        answer.add_done_callback(lambda _: timer.cancel())
        return answer

    def _arrive(self, kind: str, loop: Loop, do: Callable[[], Any], fate: Fate, answer: "asyncio.Future[Any]") -> None:
        try:
            result = do()
        except Exception as fault:  # noqa: BLE001 - a fault of the model must end the test, not the process
            self.world.fail(f"{kind}: {fault!r}")
            return
        self.world.mark(f"written {kind}", loop)
        if fate.answered:
            self.world.later(fate.back, lambda: self._answer(loop, kind, answer, result))

    def _answer(self, loop: Loop, kind: str, answer: "asyncio.Future[Any]", result: Any) -> None:
        held_back = self._held_back.get(loop, 0.0) - self.world.now
        if held_back > 0 and loop.frozen:
            self.world.later(held_back, lambda: self._answer(loop, kind, answer, result))
            return
        cut = self.is_cut(loop)
        _settle(loop, answer, asyncpg.ConnectionDoesNotExistError("lost") if cut else result)
        self.world.mark(f"answered {kind}", loop)

    def _started(self) -> None:
        self.tables.started_at = self.now()


def _settle(loop: Loop, answer: "asyncio.Future[Any]", result: Any) -> None:
    """Bring an answer to its process, as a socket does: it is taken when the process next runs."""

    def arrive() -> None:
        if answer.done():
            return
        if isinstance(result, BaseException):
            answer.set_exception(result)
        else:
            answer.set_result(result)

    loop.call_soon(arrive)
