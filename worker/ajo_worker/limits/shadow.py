"""How long a queue would have held those that wait if nothing had slowed it. Pure; instants are monotonic seconds.

A limit that is slowed to a part of itself lets fewer through than it would at its full speed. The shadow is the same
queue at full speed: each that is let through in truth stands for ``1 / speed`` in the shadow. Whoever would have been
through there waits on for the sake of what slows the queue, and for nothing else.
"""

from bisect import bisect_left
from dataclasses import dataclass, field

from msgspec import Struct

APART = 0.1
"""Seconds between two points that are kept."""
MOST_POINTS = 3000
LEAST_SPEED = 1e-4
Causes = tuple[float, float]
"""Weights of the two causes that may slow a queue, or seconds that went by for each."""
NONE: Causes = (0.0, 0.0)


class Ticket(Struct, frozen=True):
    """A place in both queues, taken at ``came``."""

    number: float
    came: float


class _Point(Struct, frozen=True):
    """By ``at`` so many were ``through`` in the shadow, and each cause had slowed the queue for so many seconds.

    ``full`` are the seconds at full speed in which as much would have got through.
    """

    at: float
    through: float
    slowed: Causes
    full: float


@dataclass(slots=True)
class Shadow:
    """The shadow of one queue."""

    _points: list[_Point] = field(default_factory=list)
    _entered: float = 0.0
    _lasting: Causes = NONE

    def enters(self, now: float, many: int = 1) -> Ticket:
        """One more waits, or so many more in the same moment: the ticket is the last one's."""
        if not self._points:
            self._points.append(_Point(now, 0.0, NONE, 0.0))
        # Speed that nobody used is no good later.
        self._entered = max(self._entered + 1.0, self._points[-1].through) + (many - 1)
        return Ticket(self._entered, now)

    def rests(self, now: float) -> None:
        """Nobody waited until now: the time since says nothing of how fast the queue moves."""
        self._lasting = NONE
        if self._points:
            last = self._points[-1]
            self._points.append(_Point(max(now, last.at), last.through, last.slowed, last.full))

    def lets_through(self, now: float, count: int, speed: float, causes: Causes = NONE) -> None:
        """So many are through since the last time, at this part (0 to 1) of the full speed, slowed by these causes."""
        if not self._points:
            self._points.append(_Point(now, 0.0, NONE, 0.0))
        last = self._points[-1]
        # The backlog that a slow time left is of its making until it is gone.
        causes = self._lasting = causes if sum(causes) else self._lasting
        whole = sum(causes)
        seconds = max(now - last.at, 0.0) / whole if whole else 0.0
        slowed = (last.slowed[0] + causes[0] * seconds, last.slowed[1] + causes[1] * seconds)
        speed = max(min(speed, 1.0), LEAST_SPEED)
        full = last.full + max(now - last.at, 0.0) * speed
        point = _Point(max(now, last.at), last.through + count / speed, slowed, full)
        if len(self._points) > 1 and now - self._points[-2].at < APART:
            self._points[-1] = point
        else:
            self._points.append(point)
        if len(self._points) > MOST_POINTS:
            del self._points[: MOST_POINTS // 4]

    def leaves(self, ticket: Ticket, now: float) -> tuple[float, Causes]:
        """How long it would have waited anyway, and how much longer it did for each cause; exactly its wait in sum."""
        waited, end = now - ticket.came, self._points[-1]
        would = max(self._passes(ticket.number) - ticket.came, 0.0)
        # Many are let through in one moment, and the first of them can't know: its time at full speed is no longer.
        ours = min(would, end.full - self._at(ticket.came).full, waited)
        for begin in (self._at(ticket.came + ours), self._at(ticket.came)):
            shares = (end.slowed[0] - begin.slowed[0], end.slowed[1] - begin.slowed[1])
            if (whole := sum(shares)) > 0.0 and waited > ours:
                first, second = ((waited - ours) * share / whole for share in shares)
                return max(waited - first - second, 0.0), (first, second)
        return waited, NONE  # nothing slowed it: the shadow differs by the size of a block alone

    def _passes(self, number: float) -> float:
        points = self._points
        index = bisect_left(points, number, key=lambda point: point.through)
        if index == len(points):
            return float("inf")
        if index == 0:
            return points[0].at
        before, after = points[index - 1], points[index]
        return before.at + (after.at - before.at) * (number - before.through) / (after.through - before.through)

    def _at(self, at: float) -> _Point:
        points = self._points
        index = bisect_left(points, at, key=lambda point: point.at)
        if index == 0:
            return points[0]
        if index == len(points):
            return points[-1]
        before, after = points[index - 1], points[index]
        part = (at - before.at) / (after.at - before.at) if after.at > before.at else 1.0
        return _Point(
            at,
            before.through + (after.through - before.through) * part,
            (
                before.slowed[0] + (after.slowed[0] - before.slowed[0]) * part,
                before.slowed[1] + (after.slowed[1] - before.slowed[1]) * part,
            ),
            before.full + (after.full - before.full) * part,
        )
