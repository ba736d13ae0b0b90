"""One budget for all attempts and waits of a round, across crashes. Pure."""

from typing import Literal, TypeAlias

from msgspec import Struct

from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.triggers.received import Received

EndReason: TypeAlias = Literal["budget-spent", "expires-at"]


class Budget(Struct, frozen=True):
    """``seconds`` from ``started`` (the first dispatch of the round); ``expires`` is the trigger's own end, if any.

    Instants are monotonic seconds.
    """

    started: float
    seconds: float
    expires: float | None = None

    @property
    def end(self) -> float:
        """The instant after which no attempt starts."""
        ends = self.started + self.seconds
        return ends if self.expires is None else min(ends, self.expires)

    @property
    def end_reason(self) -> EndReason:
        """Which of the two ends comes first."""
        return (
            "expires-at" if self.expires is not None and self.expires <= self.started + self.seconds else "budget-spent"
        )

    def left(self, now: float) -> float:
        """Seconds left; negative afterwards."""
        return self.end - now

    def latest_start(self, minimum: float, answers_take: float = 0.0) -> float:
        """Until when a retry may start: with ``minimum`` seconds left, and time for an answer as long as usual."""
        return min(self.end - minimum, self.started + self.seconds - answers_take)

    def answer_time(self, now: float, at_most: float | None = None) -> float:
        """How long an attempt that starts ``now`` may wait for its answer: to the budget's end, if not ``at_most``.

        ``expires_at`` bounds when an attempt starts, and not its answer: what was sent is waited for.
        """
        left = self.started + self.seconds - now
        return left if at_most is None else min(at_most, left)


def budget_of(received: Received, started: float, clock: LedgerClock) -> Budget:
    """That of a round whose first dispatch was at this monotonic instant."""
    expires_at, campaign = received.trigger.expires_at, received.campaign
    return Budget(started, campaign.budget if campaign else 0.0, clock.monotonic_at(expires_at) if expires_at else None)
