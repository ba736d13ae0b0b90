"""One process of a local stack: waiting for what it prints, and ending it."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.02
TAIL_LINES = 20


class LocalStackError(Exception):
    """A part of the local stack can't run; the text says which, why, and ends with the last lines of its log."""


@dataclass
class Child:
    """One running process, its output in ``log``."""

    name: str
    popen: "subprocess.Popen[bytes]"
    log: Path
    stop_signal: signal.Signals
    grace: float
    _forget: Callable[["Child"], None] = field(repr=False)

    @property
    def pid(self) -> int:
        """The process id; its process group has the same."""
        return self.popen.pid

    @property
    def running(self) -> bool:
        """Whether the process has not ended yet."""
        return self.popen.poll() is None

    def output(self) -> str:
        """All that the process has printed so far, on both streams."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def tail(self, lines: int = TAIL_LINES) -> str:
        """The last lines that the process printed, indented."""
        return "\n".join(f"    {line}" for line in self.output().splitlines()[-lines:])

    def wait_for(self, condition: Callable[[], T | None], *, what: str, timeout: float) -> T:
        """Wait until ``condition`` gives a value, and return it; ``timeout`` in seconds.

        Raises:
            LocalStackError: the process ended first, or the time passed.
        """
        deadline = time.monotonic() + timeout
        while (value := condition()) is None:
            if not self.running:
                raise LocalStackError(f"{self.name} {self.ending()} before {what}; it printed:\n{self.tail()}")
            if time.monotonic() > deadline:
                raise LocalStackError(f"{self.name}: no {what} within {timeout:g} s; it printed:\n{self.tail()}")
            time.sleep(POLL_SECONDS)
        return value

    def wait_for_output(self, pattern: str, *, timeout: float) -> "re.Match[str]":
        """Wait until the process prints something that matches ``pattern``.

        Raises:
            LocalStackError: the process ended first, or the time passed.
        """
        return self.wait_for(lambda: re.search(pattern, self.output()), what=f"the line “{pattern}”", timeout=timeout)

    def wait_until_ready(self, pattern: str, *, timeout: float) -> "re.Match[str]":
        """As ``wait_for_output``, for a server that comes up; one that doesn't is stopped.

        Raises:
            LocalStackError: the process ended first, or the time passed.
        """
        try:
            return self.wait_for_output(pattern, timeout=timeout)
        except LocalStackError:
            self.stop()
            raise

    def check(self) -> None:
        """Raise LocalStackError if the process has ended by itself."""
        if not self.running:
            raise LocalStackError(f"{self.name} {self.ending()}; it printed:\n{self.tail()}")

    def ending(self) -> str:
        """How the process ended, in words."""
        code = self.popen.poll()
        if code is None:
            return "is running"
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    def stop(self) -> int:
        """Ask the process to end, and kill it after its grace period; returns its exit code."""
        if self.running:
            self.popen.send_signal(self.stop_signal)
        try:
            self.popen.wait(self.grace)
        except subprocess.TimeoutExpired:
            self.kill()
        self._forget(self)
        return self.popen.wait()

    def kill(self) -> None:
        """End the process and its group at once (SIGKILL)."""
        if self.running:
            os.killpg(self.pid, signal.SIGKILL)
        self.popen.wait()
        self._forget(self)
