"""Being told to stop, in every phase of a worker's life.

The first SIGTERM, SIGINT or SIGHUP, or a container's own signal, is polite: what is in flight is finished. SIGQUIT, or
a second SIGTERM or SIGINT, ends the process within five seconds, whatever it waits for. A second one of the others says
nothing new: systemd sends a SIGHUP right behind its SIGTERM (``SendSIGHUP=``), and a terminal that is closed one to
each of its processes.

Celery's own handlers would cancel consumers and wait for the pool on top of whatever call they interrupt: of an
acknowledgement that was cut in half, the other half never comes while they wait. So signals are only noted here, for
loops to find.
"""

import faulthandler
import os
import signal
import threading
from types import FrameType

from ajo_producers.contract.stop_signals import INSISTING, stop_signals
from celery.platforms import EX_FAILURE, EX_OK
from celery.worker import state

SECONDS = 4.5
"""From the insisting signal to the end of the process, if it didn't end by itself."""

OTHERS = [getattr(signal, name) for name in ("SIGUSR1", "SIGUSR2", "SIGALRM") if hasattr(signal, name)]
"""Python's default for these is a sudden end; they have no meaning here."""
BLOCKABLE = [*stop_signals(), *(getattr(signal, name) for name in ("SIGQUIT", "SIGCHLD") if hasattr(signal, name))]
"""Blocked ones would never come, and a process could not be told to stop."""

NOWHERE = os.open(os.devnull, os.O_WRONLY)
"""Open before it is needed: files may be used up when a process is to end."""

_patient = threading.Event()


def note_signals() -> None:
    """Have signals noted from now on; called on the main thread, before anything that may take long.

    The first process of a container has no default handlers: without ours it could not be stopped while it starts.
    """
    for number in stop_signals():
        signal.signal(number, _asked if number in INSISTING else _asked_politely)
    for number in OTHERS:
        signal.signal(number, signal.SIG_IGN)
    if quit_signal := getattr(signal, "SIGQUIT", None):  # there is none for Windows
        signal.signal(quit_signal, _told_to_quit)
    if hasattr(signal, "pthread_sigmask"):  # whoever started us may have blocked them, and forgotten it
        signal.pthread_sigmask(signal.SIG_UNBLOCK, BLOCKABLE)


def only_quit_insists() -> None:
    """A second polite signal says nothing new from now on: for the workers of a parent.

    It tells them to stop, and so does a supervisor that signals every process of a service.
    """
    _patient.set()


def told_to_stop() -> bool:
    """Whether any signal came."""
    return state.should_stop is not None or told_to_quit()


def told_to_quit() -> bool:
    """Whether there was more than a polite request to stop."""
    return state.should_terminate is not None


def _asked(number: int, frame: FrameType | None) -> None:
    if state.should_stop is None:
        state.should_stop = EX_OK
    elif not _patient.is_set():
        _told_to_quit(number, frame)


def _asked_politely(_number: int, _frame: FrameType | None) -> None:
    if state.should_stop is None:
        state.should_stop = EX_OK


def _told_to_quit(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - what the signal module calls
    if not told_to_quit():
        state.should_terminate = EX_FAILURE
        try:
            # A thread of C: it needs no interpreter lock, and ends the process with 1 whatever holds it.
            faulthandler.dump_traceback_later(SECONDS, exit=True, file=NOWHERE)
        except RuntimeError:  # no thread can be had any more: then by a signal, and with its code
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, SECONDS)
