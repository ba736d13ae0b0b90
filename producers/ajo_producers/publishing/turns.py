"""Whose turn it is, among threads: a line that Ctrl-C leaves in order, whenever it comes."""

import threading
from collections import deque
from contextlib import suppress


class Turn:
    """A place in the line; whoever has stood there leaves it in the end, had his turn come or not."""

    __slots__ = ("_line", "_wake")

    def __init__(self, line: "deque[Turn]") -> None:
        self._line = line
        self._wake = threading.Lock()
        self._wake.acquire()

    def wait(self, timeout: float) -> bool:
        """Wait for one's turn for so many seconds; whether it came."""
        self._line.append(self)
        return self._line[0] is self or self._wake.acquire(timeout=timeout)

    def leave(self) -> None:
        """Let the next one have it. To leave once more is harmless."""
        with suppress(ValueError):
            self._line.remove(self)
        with suppress(IndexError, RuntimeError):  # nobody waits, or he who does is awake
            self._line[0]._wake.release()


class Turns:
    """A lock whose waiters come in turn: who releases it and wants it again waits behind all others.

    Without a lock of its own, each of whose steps is one of the interpreter's: an exception out of a signal's handler
    finds nothing half done, and a handler that wants a turn itself stands in line.
    """

    def __init__(self) -> None:
        self._line: deque[Turn] = deque()

    def __len__(self) -> int:
        """How many there are, with him whose turn it is."""
        return len(self._line)

    def turn(self) -> Turn:
        """A turn to wait for."""
        return Turn(self._line)
