"""In which phase triggers stand, and what is put down to that: their waits, and that no more can be taken."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from ajo_worker.dispatch.attempt import Flight
from ajo_worker.limits.limits import Limits
from ajo_worker.limits.slots import Slots
from ajo_worker.limits.waits import NO_WAIT, Waits
from ajo_worker.triggers.received import Received

PERMIT, PLACE = "permit", "place"
"""Where the limits say which phase a wait is."""
KEPT_FROM_OPENING = {"silence": "silence", "token": "token", "back-off": "congestion", "proxy": "slot"}
"""The part of ``Waits`` that keeps a message from being opened, by the phase in which most of those under way stand."""


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

    monotonic: Callable[[], float]
    limits: Limits
    slots: Slots
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

    def because(self, lane: str) -> str | None:
        """The phase that most of the time of what this lane has in hand went into since this was asked last."""
        phase = self.mostly(lane)
        if phase == PERMIT:
            return self.limits.because(lane)
        return self.slots.because(lane) if phase == PLACE else phase

    def before(self, flights: Sequence[Flight]) -> dict[Flight, Waits]:
        """What went by since the message of each came: too many were under way, or the loop was late with it.

        Whatever keeps those that are under way kept it from being opened.
        """
        now, phase, came, waits, found = self.monotonic(), "", None, NO_WAIT, dict[Flight, Waits]()
        for flight in flights:
            received = flight.received
            if came != (came := (received.received, received.unopened)):  # of another message than the one before
                waits = Waits(intake=max(now - received.received - received.unopened, 0.0))
                if received.unopened:
                    phase = phase or self._unopened(received)
                    waits += Waits(**{phase: received.unopened})
            found[flight] = waits
        return found

    def _unopened(self, received: Received) -> str:
        """The part of ``Waits`` that most of those under way wait in now."""
        phase = self.mostly_now(received.came_by) or PLACE
        if phase == PERMIT:
            return self.limits.because(received.lane).replace("-", "_")
        return KEPT_FROM_OPENING.get(phase) or self.slots.because(received.lane)
