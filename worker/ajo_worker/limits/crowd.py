"""Who holds places, and how slow their calls are. Pure; instants are monotonic seconds."""

from collections import OrderedDict
from dataclasses import dataclass, field

SLOW = 2.0
"""Seconds after which a call in flight is slow: the service level that the phase ``headers`` comes with."""


@dataclass(slots=True)
class Crowd:
    """Those that hold the places of one kind. ``speed`` tells at which part of their full speed they hand them on."""

    taken: int = 0
    _held: float = 0.0
    """Seconds that places were held, up to ``_asked``."""
    _slow: float = 0.0
    """Seconds of them in which their calls were slow."""
    _asked: float = 0.0
    _young: OrderedDict[int, float] = field(default_factory=OrderedDict)
    _old: dict[int, float] = field(default_factory=dict)

    def enters(self, now: float) -> None:
        """A place is taken."""
        self._advance(now)
        self.taken += 1

    def sends(self, who: int, now: float) -> None:
        """Whoever has a place makes its call: from now on it may be slow."""
        self._young[who] = now

    def leaves(self, who: int, now: float) -> None:
        """A place is given back."""
        self._advance(now)
        self.taken -= 1
        if self._young.pop(who, None) is None:
            self._old.pop(who, None)

    def speed(self, now: float) -> float:
        """At which part of the full speed places were handed on since this was asked last: 1 if no call was slow."""
        self._advance(now)
        held, slow = self._held, self._slow
        self._held = self._slow = 0.0
        return 1.0 - min(slow / held, 1.0) if held > 0.0 else 1.0

    def slow(self, now: float) -> int:
        """How many calls are slow."""
        self._advance(now)
        return len(self._old)

    def _advance(self, now: float) -> None:
        seconds = max(now - self._asked, 0.0)
        self._held += self.taken * seconds
        self._slow += len(self._old) * seconds
        while self._young:
            who, sent = next(iter(self._young.items()))
            if sent + SLOW > now:
                break
            del self._young[who]
            self._old[who] = sent
            self._slow += now - max(sent + SLOW, self._asked)
        self._asked = max(now, self._asked)
