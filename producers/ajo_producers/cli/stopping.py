"""Ending a long command politely: what is on its way gets its answer, and nothing new is begun."""

import os
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from types import FrameType, TracebackType
from typing import Any, Self, TypeVar

from ajo_producers.contract.stop_signals import stop_signals

T = TypeVar("T")

GRACE = 3.0
"""Seconds that what is on its way gets after the first signal."""
TOLD = b"\nstopping: what is on its way has %d s to be confirmed; again cuts it off\n" % GRACE


class _Stopped(BaseException):
    """Leaves a wait; never this module."""


class Stop(AbstractContextManager["Stop"]):
    """The first signal ends ``items`` and cuts ``wait`` short; the second, or ``GRACE``, raises KeyboardInterrupt.

    ``asked`` is the first signal; ``cut`` is true if ``items`` may have had more. Outside the main thread, signals do
    what they did before.
    """

    def __init__(self) -> None:
        self.asked: int | None = None
        self.cut = False
        self._waiting = False
        self._before: dict[int, Any] = {}

    def items(self, source: Iterable[T]) -> Iterator[T]:
        """What ``source`` has, until a signal comes; the wait for its next item may be cut short."""
        items = iter(source)
        while self.asked is None:
            try:
                self._waiting = True
                item = next(items)
            except StopIteration:
                return
            except _Stopped:
                break
            finally:
                self._waiting = False
            yield item
        self.cut = True

    def wait(self, seconds: float) -> None:
        """Sleep, until a signal comes."""
        with suppress(_Stopped):
            try:
                self._waiting = True
                if self.asked is None:
                    time.sleep(seconds)
            finally:
                self._waiting = False

    def __enter__(self) -> Self:
        """Take the signals."""
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._on_signal) for number in stop_signals()}
            if hasattr(signal, "SIGALRM"):
                self._before[signal.SIGALRM] = signal.signal(signal.SIGALRM, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give them back."""
        if hasattr(signal, "setitimer") and self._before:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self.asked is not None or not hasattr(signal, "setitimer"):
            self.asked = self.asked or number
            raise KeyboardInterrupt
        self.asked = number
        signal.setitimer(signal.ITIMER_REAL, GRACE)
        with suppress(OSError):  # the terminal may have gone
            os.write(2, TOLD)
        if self._waiting:
            raise _Stopped
