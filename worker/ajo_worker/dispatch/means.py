"""What all attempts of a worker are made ready with."""

from dataclasses import dataclass

from ajo_worker.api.token import TokenProvider
from ajo_worker.closing import Closing
from ajo_worker.dispatch.budget import Budget
from ajo_worker.dispatch.decision import History
from ajo_worker.dispatch.gate import Gate, Silence
from ajo_worker.dispatch.standing import Standing
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.ledger.ledger import Ledger
from ajo_worker.limits.limits import Limits
from ajo_worker.limits.slots import Slots
from ajo_worker.triggers.received import Received


@dataclass(frozen=True, slots=True)
class Means:
    """Those whom each attempt asks, one after another; and how much time it has for that."""

    ledger: Ledger
    clock: LedgerClock
    tokens: TokenProvider
    limits: Limits
    slots: Slots
    gate: Gate
    closing: Closing
    attempt_minimum: float
    silence: Silence
    standing: Standing

    def latest_start(self, received: Received, budget: Budget, history: History) -> float:
        """Until when the next attempt may start (monotonic): a first one to the budget's end, a retry not so late."""
        if not history.attempts or received.campaign is None:
            return budget.end
        return budget.latest_start(self.attempt_minimum, self.gate.answers_take(received.campaign))
