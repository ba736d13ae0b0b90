"""Who holds places, and how slow their calls are. Pure; instants are monotonic seconds."""

from collections import OrderedDict
from dataclasses import dataclass, field

from ajo_worker.limits.shadow import APART

SLOW = 2.0
"""Seconds after which a call in flight is slow: the service level that the phase ``headers`` comes with."""
USUAL, WEIGHT = 0.25, 0.05
"""Seconds that a call takes which is not slow, until such calls have told; how much each of them weighs then."""


@dataclass(slots=True)
class Crowd:
    """Those that hold the places of one kind. ``speed`` tells at which part of their full speed they hand them on."""

    taken: int = 0
    _held: float = 0.0
    """Seconds that places were held, up to ``_asked``."""
    _slow: float = 0.0
    """Seconds of them that slow calls took beyond what is usual: nobody would have waited for a place so long."""
    _asked: float = 0.0
    _since: float = 0.0
    _speed: float | None = None
    _usual: float = USUAL
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
        if (sent := self._young.pop(who, None)) is not None:
            self._usual += WEIGHT * (now - sent - self._usual)
        else:
            self._old.pop(who, None)

    def restarts(self, now: float) -> None:
        """Somebody begins to wait: how fast places were handed on before is of no interest."""
        self._advance(now)
        self._held = self._slow = 0.0
        self._since, self._speed = now, None

    def speed(self, now: float) -> float:
        """At which part of the full speed places were handed on of late: 1 if no call was slow.

        Many calls end in the same moment: their places are handed on at the speed of the time before.
        """
        self._advance(now)
        if self._held > 0.0 and (self._speed is None or now - self._since >= APART):
            self._speed = 1.0 - min(self._slow / self._held, 1.0)
            self._held = self._slow = 0.0
            self._since = now
        return 1.0 if self._speed is None else self._speed

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
            self._slow += now - max(sent + self._usual, self._since)
        self._asked = max(now, self._asked)
