"""What all attempts of a worker are made ready with, and what their waits are put down to."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ajo_worker.api.token import TokenProvider
from ajo_worker.closing import Closing
from ajo_worker.dispatch.attempt import Flight
from ajo_worker.dispatch.budget import Budget
from ajo_worker.dispatch.decision import History
from ajo_worker.dispatch.gate import Gate, Silence
from ajo_worker.dispatch.standing import Standing
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.ledger.ledger import Ledger
from ajo_worker.limits.limits import Limits
from ajo_worker.limits.slots import Slots
from ajo_worker.limits.waits import NO_WAIT, Waits
from ajo_worker.triggers.received import Received


@dataclass(frozen=True, slots=True)
class Preparation:
    """What attempts are made ready with, and what their waits are put down to."""

    ledger: Ledger
    clock: LedgerClock
    tokens: TokenProvider
    limits: Limits
    slots: Slots
    gate: Gate
    closing: Closing
    attempt_minimum: float
    silence: Silence
    standing: Standing = field(default_factory=Standing)

    def latest_start(self, received: Received, budget: Budget, history: History) -> float:
        """Until when the next attempt may start (monotonic): a first one to the budget's end, a retry not so late."""
        if not history.attempts or received.campaign is None:
            return budget.end
        return budget.latest_start(self.attempt_minimum, self.gate.answers_take(received.campaign))

    def because(self, lane: str) -> str | None:
        """The phase that most of the time of what this lane has in hand went into since this was asked last."""
        match self.standing.mostly(lane):
            case "permit":
                return self.limits.because(lane)
            case "place":
                return self.slots.because(lane)
            case phase:
                return phase

    def before(self, flights: Sequence[Flight]) -> dict[Flight, Waits]:
        """What went by since the message of each came: too many were under way, or the loop was late with it.

        Whatever keeps those that are under way kept it from being opened.
        """
        now, phase, came, waits, found = self.clock.monotonic(), "", None, NO_WAIT, dict[Flight, Waits]()
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
        match self.standing.mostly_now(received.came_by):
            case "silence" | "token" as phase:
                return phase
            case "back-off":
                return "congestion"
            case "proxy":
                return "slot"
            case "permit":
                return self.limits.because(received.lane).replace("-", "_")
            case _:
                return self.slots.because(received.lane)
