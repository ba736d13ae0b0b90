"""One budget for all attempts and waits of a round, across crashes, and the back-off between two attempts. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from msgspec import Struct

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


@dataclass(frozen=True, slots=True)
class Backoff:
    """The back-off policy: the bound of the n-th wait is ``base × factor^(n-1)`` seconds, at most ``cap``."""

    base: float
    factor: float
    cap: float

    def bound(self, attempts: int) -> float:
        """Longest wait, in seconds, after ``attempts`` failed ones (1 or more)."""
        try:
            return min(self.cap, self.base * self.factor ** (attempts - 1))
        except OverflowError:
            return self.cap

    def wait(self, attempts: int, jitter: Callable[[], float], *, floor: float | None = None) -> float:
        """Seconds to wait: evenly between 0 and the bound, but never below ``floor`` (``Retry-After``, exact).

        ``jitter`` gives a number from 0 to 1. Full jitter spreads the retries of a burst best:
        https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
        """
        return max(self.bound(attempts) * jitter(), floor or 0.0)
