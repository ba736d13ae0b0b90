"""What is heard of a destination: does it answer at all, and how soon? Without I/O; instants are monotonic seconds."""

from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import ceil
from uuid import UUID

from ajo_worker.outages.failures import LEAST_TRIGGERS

UNHEARD = 2.0
"""Seconds between two looks after which this worker itself was not listening (frozen, or with no time to)."""

SHARE = 0.95
"""Of the answers, within a time that counts as usual."""
MOST_TIMES = 200
"""So many of the newest answers count: enough for a percentile, and a moment's work to sort."""
RECENT = 300.0
"""Seconds after which an answer counts no more."""


@dataclass(frozen=True, slots=True)
class Patience:
    """So many ``calls`` must be open, and nothing have been answered for so many ``seconds``."""

    calls: int
    seconds: float


@dataclass(slots=True)
class Listening:
    """The calls of this worker that are open at a destination, and when it was last heard of.

    A call that hangs alone is no silence, however long: at least three triggers must have waited the whole time.
    """

    patience: Patience
    since: float | None = None
    """Since when it is silent; None if it isn't."""
    _open: OrderedDict[UUID, float] = field(default_factory=OrderedDict)
    _heard: float = float("-inf")
    _given_up: set[UUID] = field(default_factory=set)
    _looked: float | None = None

    @property
    def open(self) -> int:
        """Calls that are open."""
        return len(self._open)

    def sends(self, trigger: UUID, now: float) -> None:
        """A call begins."""
        self._open[trigger] = now

    def ended(self, trigger: UUID, now: float, *, answered: bool) -> None:
        """A call ended, with an answer of whatever status, or without one."""
        sent = self._open.pop(trigger, None)
        if answered:
            self._heard, self.since = now, None
            self._given_up.clear()
        elif sent is not None and now - sent >= self.patience.seconds and len(self._given_up) < LEAST_TRIGGERS:
            self._given_up.add(trigger)

    def look(self, now: float) -> bool:
        """Whether it is silent now. To be asked again and again: a worker that didn't listen has heard nothing."""
        if self._looked is not None and now - self._looked > UNHEARD and self.since is None:
            self._heard = max(self._heard, now)
        self._looked = now
        if not self._open:  # nothing is asked any more: there is nothing to be silent about
            self.since = None
            self._given_up.clear()
        elif self.since is None and self._silent(now):
            self.since = now
        return self.since is not None

    def over(self, now: float) -> None:
        """An outage took its place, or is over; what was heard before says nothing of what comes."""
        self.since, self._heard = None, now
        self._given_up.clear()

    def _silent(self, now: float) -> bool:
        if len(self._open) < max(self.patience.calls, LEAST_TRIGGERS) or now - self._heard < self.patience.seconds:
            return False
        long = set(self._given_up)
        for trigger, sent in self._open.items():
            if now - sent < self.patience.seconds or len(long) >= LEAST_TRIGGERS:
                break
            long.add(trigger)
        return len(long) >= LEAST_TRIGGERS


def _newest() -> deque[tuple[float, float]]:
    return deque(maxlen=MOST_TIMES)


@dataclass(slots=True)
class AnswerTimes:
    """How long a destination has taken to answer of late: what a retry must have left of its budget.

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
