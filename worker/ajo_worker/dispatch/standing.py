"""What the triggers that a worker has in hand wait for, and for how long together."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Phase:
    """Those of one lane that stand in one phase; the seconds that they all have stood there, up to ``since``."""

    standing: int = 0
    seconds: float = 0.0
    since: float = 0.0

    def count(self, now: float) -> None:
        self.seconds += self.standing * (now - self.since)
        self.since = now


@dataclass(slots=True)
class Standing:
    """Told when triggers enter a phase and when they leave it; lives on one event loop."""

    monotonic: Callable[[], float] = time.monotonic
    _phases: dict[tuple[str, str], _Phase] = field(default_factory=dict)
    """By lane and phase."""

    @contextmanager
    def at(self, lane: str, phase: str, many: int = 1) -> Iterator[None]:
        """Triggers that came through this lane wait in this phase meanwhile."""
        self.changes(lane, phase, many)
        try:
            yield
        finally:
            self.changes(lane, phase, -many)

    def changes(self, lane: str, phase: str, by: int) -> None:
        """So many enter a phase, or leave it."""
        found = self._phases.get((lane, phase))
        if found is None:
            found = self._phases[lane, phase] = _Phase(since=self.monotonic())
        found.count(self.monotonic())
        found.standing += by

    def mostly(self, lane: str) -> str | None:
        """The phase that most of the lane's time went into since this was asked last; None if none did."""
        longest, most = None, 0.0
        for (at, phase), found in self._phases.items():
            if at == lane:
                found.count(self.monotonic())
                if found.seconds > most:
                    longest, most = phase, found.seconds
                found.seconds = 0.0
        return longest

    def mostly_now(self, lane: str) -> str | None:
        """The phase that most of the lane's triggers stand in at this moment; None if none does."""
        found = {phase: one.standing for (at, phase), one in self._phases.items() if at == lane and one.standing}
        return max(found, key=found.__getitem__) if found else None
