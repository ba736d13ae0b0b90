"""Ctrl-C while a command is still being imported: nothing was begun, so the process ends there and then, with 130.

As an exception it would come out of whatever is imported: with its traceback, or swallowed by a library.
"""

import os
import signal
import threading
from types import FrameType


def end_at_once() -> None:
    """From now on, if Ctrl-C does what it does by default."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is _BY_DEFAULT:
        signal.signal(signal.SIGINT, _end)


def be_an_exception() -> None:
    """As by default from now on, unless the command has other plans."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, _BY_DEFAULT)


def _end(_number: int, _frame: FrameType | None) -> None:
    os._exit(130)


_BY_DEFAULT = signal.default_int_handler
