"""SIGQUIT, and a second Ctrl-C: what is in flight is finished, as at SIGTERM; one more, and the process ends at once.

Celery's own handlers would cancel consumers and wait for the pool on top of whatever call they interrupt: of an
acknowledgement that was cut in half, the other half never comes while they wait.
"""

import os
import signal
from types import FrameType

from celery.platforms import EX_FAILURE, EX_OK
from celery.worker import state


def only_note_signals() -> None:
    """Have SIGINT and SIGQUIT noted, for Celery's loop to find; called on the main thread, once Celery has its own."""
    signal.signal(signal.SIGINT, _interrupted)
    if quit_signal := getattr(signal, "SIGQUIT", None):  # there is none for Windows
        signal.signal(quit_signal, _told_to_quit)


def told_to_quit() -> bool:
    """Whether there was more than a polite request to stop."""
    return state.should_terminate is not None


def _interrupted(number: int, frame: FrameType | None) -> None:
    if state.should_stop is None:
        state.should_stop = EX_OK
    else:
        _told_to_quit(number, frame)


def _told_to_quit(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - what the signal module calls
    if told_to_quit():
        os._exit(EX_FAILURE)
    state.should_terminate = EX_FAILURE
