"""What the triggers that a worker has in hand wait for, and for how long together."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Key = tuple[str, str]
"""A lane and a phase."""


@dataclass(slots=True)
class Standing:
    """Told when a trigger enters a phase and when it leaves it; lives on one event loop."""

    monotonic: Callable[[], float] = time.monotonic
    _standing: Counter[Key] = field(default_factory=Counter)
    _seconds: Counter[Key] = field(default_factory=Counter)
    _since: dict[Key, float] = field(default_factory=dict)

    @contextmanager
    def at(self, lane: str, phase: str) -> Iterator[None]:
        """A trigger that came through this lane waits in this phase meanwhile."""
        key = lane, phase
        self._count(key)
        self._standing[key] += 1
        try:
            yield
        finally:
            self._count(key)
            self._standing[key] -= 1

    def mostly(self, lane: str) -> str | None:
        """The phase that most of the lane's time went into since this was asked last; None if none did."""
        for key in self._standing:
            self._count(key)
        found = {phase: self._seconds.pop(key) for key in list(self._seconds) if key[0] == lane for phase in key[1:]}
        return max(found, key=found.__getitem__) if any(found.values()) else None

    def mostly_now(self, lane: str) -> str | None:
        """The phase that most of the lane's triggers stand in at this moment; None if none does."""
        found = {phase: count for (at, phase), count in self._standing.items() if at == lane and count}
        return max(found, key=found.__getitem__) if found else None

    def _count(self, key: Key) -> None:
        now = self.monotonic()
        self._seconds[key] += self._standing[key] * (now - self._since.get(key, now))  # type: ignore[assignment] # seconds
        self._since[key] = now
