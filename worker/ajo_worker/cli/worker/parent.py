"""One process that starts several workers, restarts them, and ends with them as one.

Each worker is a fork of it, made before anything is imported that would not survive one. As the first process of a
container it reaps whatever else ends there.
"""

import os
import select
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from ajo_producers.contract.stop_signals import INSISTING, stop_signals

from ajo_worker.cli.worker.restarting import SETTLED_SECONDS, Again, GiveUp, after, pause_after
from ajo_worker.intake.stop_signals import OTHERS, note_signals, only_quit_insists

log = structlog.get_logger("ajo_worker")

KILLED_SECONDS = 5.0
"""From the insisting signal to SIGKILL: a worker's own timer ends it before, unless it is frozen."""
NOTED = {*stop_signals(), signal.SIGQUIT, signal.SIGCHLD}


@dataclass
class ChildWorker:
    """One of the workers: the process that runs as it, or when the next one begins."""

    number: int
    pid: int | None = None
    began: float = 0.0
    in_a_row: int = 0
    due: float | None = None
    failed: bool = False
    """Whether its last process ended with anything but 0."""

    def lived(self, now: float) -> float:
        """Seconds since its process began."""
        return now - self.began


class Parent:
    """Of ``count`` workers."""

    def __init__(self, count: int) -> None:
        self._workers = [ChildWorker(number + 1) for number in range(count)]
        self.number = 0
        self._stopping = False
        self._kill_at: float | None = None
        self._code = 0
        self._life, self._held = os.pipe()  # held open by this process alone: its end is the parent's end
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._wake, False)

    def run(self) -> int | None:
        """Until all workers have ended: the exit code. In each worker's process it returns at once, with None.

        ``number`` then says which one it is.
        """
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        for number in NOTED:
            signal.signal(number, lambda *_: None)  # what came is read from the pipe
        for number in OTHERS:
            signal.signal(number, signal.SIG_IGN)
        for worker in self._workers:
            if self._start(worker):
                return None
        while True:
            self._reap()
            if not any(worker.pid or worker.due for worker in self._workers):
                return self._code or int(any(worker.failed for worker in self._workers))
            if self._kill_at is not None and self._kill_at <= time.monotonic():
                self._kill()
                return self._code or 1
            for worker in self._workers:
                if worker.due is not None and worker.due <= time.monotonic() and self._start(worker):
                    return None
            self._wait()

    def _start(self, worker: ChildWorker) -> bool:
        """Whether this is the worker's process."""
        worker.began, worker.due = time.monotonic(), None
        with _blocked():
            try:
                pid = os.fork()
            except OSError as fault:  # no more processes are allowed, or there is no memory: the others work on
                self._not_started(worker, fault)
                return False
            if pid == 0:
                self.number = worker.number
                self._leave()
                return True
        worker.pid = pid
        log.info("worker-started", number=worker.number, pid=pid)
        return False

    def _not_started(self, worker: ChildWorker, fault: OSError) -> None:
        worker.in_a_row, worker.failed = worker.in_a_row + 1, True
        pause = pause_after(worker.in_a_row)
        worker.due = time.monotonic() + pause
        log.error("worker-not-started", number=worker.number, reason=fault.strerror, again_in_seconds=pause)

    def _leave(self) -> None:
        """Become a worker: on its own in the terminal, its signals noted, told to stop if the parent is gone."""
        os.setpgid(0, 0)  # Ctrl-C is for the parent
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for each in (self._held, self._woken, self._wake):
            os.close(each)
        only_quit_insists()
        note_signals()
        threading.Thread(target=self._outlived, name="parent-watch", daemon=True).start()

    def _outlived(self) -> None:
        os.read(self._life, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            worker = next((each for each in self._workers if each.pid == pid), None)
            if worker is not None:  # others were left to the first process of a container
                self._ended(worker, os.waitstatus_to_exitcode(status))

    def _ended(self, worker: ChildWorker, code: int) -> None:
        now = time.monotonic()
        lived, worker.pid, worker.failed = worker.lived(now), None, code != 0
        told = {"number": worker.number, "exit_code": code, "lived_seconds": round(lived, 1)}
        if self._stopping:
            (log.error if code else log.info)("worker-ended", **told)
            return
        worker.in_a_row = 1 if lived >= SETTLED_SECONDS else worker.in_a_row + 1
        settled = any(each.pid and each.lived(now) >= SETTLED_SECONDS for each in self._workers)
        what = after(code, lived=lived, in_a_row=worker.in_a_row, others_settled=settled)
        if isinstance(what, Again):
            worker.due = now + what.pause
            log.error("worker-ended", **told, again_in_seconds=what.pause)
        elif isinstance(what, GiveUp):
            log.error("worker-ended", **told, given_up=True)
            self._stop(signal.SIGTERM)
            self._code = what.code
        else:
            log.warning("worker-ended", **told)

    def _wait(self) -> None:
        """Until a signal comes, or a worker is due, or is to be killed."""
        instants = [each for each in (self._kill_at, *(worker.due for worker in self._workers)) if each is not None]
        left = max(0.0, min(instants) - time.monotonic()) if instants else None
        if not select.select([self._woken], [], [], left)[0]:
            return
        for number in os.read(self._woken, 4096):
            if number == signal.SIGQUIT or (number in INSISTING and self._stopping):
                self._stop(signal.SIGQUIT)
                self._kill_at = self._kill_at or time.monotonic() + KILLED_SECONDS
            elif number in NOTED - {signal.SIGCHLD} and not self._stopping:
                self._stop(signal.SIGTERM)

    def _stop(self, number: signal.Signals) -> None:
        """Tell all workers, and start none again."""
        log.info("workers-stopping", signal=number.name)
        self._stopping = True
        for worker in self._workers:
            worker.due = None
            if worker.pid is not None:
                os.kill(worker.pid, number)

    def _kill(self) -> None:
        """End whoever is left, and wait for none: what hangs in the kernel dies once that lets go of it."""
        for worker in self._workers:
            if worker.pid is not None:
                log.error("worker-killed", number=worker.number, pid=worker.pid)
                os.kill(worker.pid, signal.SIGKILL)


@contextmanager
def _blocked() -> Iterator[None]:
    """No signal is delivered meanwhile: a fork's first ones wait until it can note them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, NOTED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
