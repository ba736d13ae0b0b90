"""When a worker had in hand all messages of a queue that it may have, so that others waited in the broker for it."""

from dataclasses import dataclass

QUIET = 1.0
"""Seconds with room after which it is over: in between, one message goes and another one comes."""


@dataclass(slots=True)
class Fullness:
    """Told of each message that is taken or answered for, on one thread; instants are of the monotonic clock.

    It is ``heavy`` from ``most_bytes`` on until half of them are gone: the broker counts messages, and how long each is
    whoever sends it chooses.
    """

    most: int
    most_bytes: int
    heavy: bool = False
    _newest: tuple[float, float | None] | None = None
    """Since when, and until when; None for the end while it lasts. One value, that other threads may read."""

    def taken(self, in_hand: int, size: int, now: float) -> None:
        """A message was taken, and makes ``in_hand`` of them, of so many bytes together."""
        self.heavy = self.heavy or size >= self.most_bytes
        if in_hand < self.most and not self.heavy:
            return
        since, until = self._newest or (now, now)
        if until is not None:
            self._newest = (since if now - until <= QUIET else now), None

    def ended(self, in_hand: int, size: int, now: float) -> None:
        """A message was answered for, and leaves ``in_hand`` of them, of so many bytes together."""
        self.heavy = self.heavy and size > self.most_bytes // 2
        if in_hand < self.most and not self.heavy and self._newest is not None and self._newest[1] is None:
            self._newest = self._newest[0], now

    def newest(self, now: float) -> tuple[float, float] | None:
        """Since when, and until when at least, it was full; None if it never was."""
        if (newest := self._newest) is None:
            return None
        since, until = newest
        return since, now if until is None else until
