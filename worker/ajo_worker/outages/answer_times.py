"""How long a destination has taken to answer of late: what a retry must have left of its budget. Without I/O."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import ceil

SHARE = 0.95
MOST = 200
"""So many of the newest answers count: enough for a percentile, and a moment's work to sort."""
RECENT = 300.0
"""Seconds after which an answer counts no more."""


def _newest() -> deque[tuple[float, float]]:
    return deque(maxlen=MOST)


@dataclass(slots=True)
class AnswerTimes:
    """Of one destination, in one worker. Instants are monotonic seconds.

    Failures often come at once and say nothing of how long an acceptance takes, so acceptances also count by
    themselves, and the longer of the two times counts. Calls that were given up count nowhere: they are no answers.
    """

    _all: deque[tuple[float, float]] = field(default_factory=_newest)
    _accepted: deque[tuple[float, float]] = field(default_factory=_newest)

    def answered(self, now: float, seconds: float, *, accepted: bool) -> None:
        """An answer came, so long after its call was sent."""
        self._all.append((now, seconds))
        if accepted:
            self._accepted.append((now, seconds))

    def usual(self, now: float) -> float:
        """Seconds within which 95 of 100 answers have come; 0 if none is recent."""
        return max(
            percentile([took for at, took in kept if now - at <= RECENT]) for kept in (self._all, self._accepted)
        )


def percentile(times: Iterable[float]) -> float:
    """The shortest time within which 95 of 100 are; 0 of none."""
    ordered = sorted(times)
    return ordered[ceil(SHARE * len(ordered)) - 1] if ordered else 0.0
