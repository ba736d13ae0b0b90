"""When a worker had in hand all messages that it may have, so that others waited in the broker for it."""

from dataclasses import dataclass

QUIET = 1.0
"""Seconds without being full after which it is over: in between, one message goes and another one comes."""


@dataclass(slots=True)
class Fullness:
    """Told of each message that is taken; read from another thread, so it holds one value that is replaced."""

    most: int
    newest: tuple[float, float] | None = None
    """Since when, and until when at least, it was full, on the monotonic clock; None if it never was."""

    def taken(self, in_hand: int, now: float) -> None:
        """A message was taken, and makes ``in_hand`` of them."""
        if in_hand < self.most:
            return
        since, last = self.newest or (now, now)
        self.newest = (since if now - last <= QUIET else now), now
