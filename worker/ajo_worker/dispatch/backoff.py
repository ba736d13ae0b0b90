"""How long a retry waits. Pure."""

from collections.abc import Callable
from dataclasses import dataclass


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
