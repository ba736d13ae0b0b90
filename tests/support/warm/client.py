"""Commands of ``ajo-dispatch`` that are forks of a process which has imported it; see ``server.py``."""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.trust import trust_nobody
from tests.support.warm.server import LENGTH

ROOT = Path(__file__).parents[3]
AT_THE_START = ("PYTHON", "SSL_", "LC_", "LANG", "LD_", "DYLD_", "MALLOC_")
"""Beginnings of variables that only a fresh interpreter obeys."""
NO_DIFFERENCE = {"PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}


class Fork:
    """A running command; to be used as a ``subprocess.Popen``."""

    stdin = stdout = stderr = None

    def __init__(self, args: Sequence[str], report: socket.socket) -> None:
        self.args = args
        self.returncode: int | None = None
        self._report = report
        self._lock = threading.Lock()
        self.pid = self._number()

    def _number(self) -> int:
        told = b""
        while len(told) < LENGTH.size:
            more = self._report.recv(LENGTH.size - len(told))
            if not more:
                raise RuntimeError("the process that commands are forked from is gone")
            told += more
        return int(LENGTH.unpack(told)[0])

    def _told(self) -> bool:
        poller = select.poll()  # select can't look at descriptors above 1023
        poller.register(self._report, select.POLLIN)
        return bool(poller.poll(0))

    def poll(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        with self._lock:
            if self.returncode is None and self._told():
                self.returncode = os.waitstatus_to_exitcode(self._number())
                self._report.close()
            return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its exit code, for ``timeout`` seconds at most.

        Raises:
            subprocess.TimeoutExpired: it still runs.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            try:
                select.select([self._report], [], [], left)
            except (OSError, ValueError):  # another thread has seen the end
                continue
        return code

    def send_signal(self, number: int) -> None:
        """Signal it, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


class Starter:
    """Starts commands; the process that they are forked from is started with the first."""

    def __init__(self) -> None:
        self._server: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        # As it was before any test changed it; compiled modules are kept in any case.
        self._environment = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def serves(self, env: Mapping[str, str]) -> bool:
        """Whether a fork of ours would obey all of an environment."""
        return all(
            env.get(name) == self._environment.get(name)
            for name in {*env, *self._environment} - NO_DIFFERENCE
            if name.startswith(AT_THE_START)
        )

    def start(
        self, command: Sequence[str], *, env: Mapping[str, str], cwd: str | Path | None, streams: tuple[int, int, int]
    ) -> Fork:
        """Start a command.

        Args:
            command: the program's name and its arguments.
            env: all of its environment.
            cwd: its folder; None is this process's.
            streams: its standard input, output and errors.
        """
        order = json.dumps({"command": command, "env": dict(env), "cwd": str(cwd or Path.cwd())}).encode()
        ours, theirs = socket.socketpair()
        with theirs, self._lock:
            control = self._control_socket()
            socket.send_fds(control, [LENGTH.pack(len(order))], [*streams, theirs.fileno()])
            control.sendall(order)
        return Fork(command, ours)

    def _control_socket(self) -> socket.socket:
        if self._server is None:
            self._control, theirs = socket.socketpair()
            with theirs:
                self._server = subprocess.Popen(
                    [sys.executable, "-m", "tests.support.warm.server"],
                    stdin=theirs.fileno(),
                    cwd=ROOT,
                    env=self._environment,
                    start_new_session=True,
                )
            atexit.register(self._end)
        return self._control

    def _end(self) -> None:
        self._control.close()
        if self._server is not None:
            self._server.wait()


trust_nobody()  # which is to be part of its environment
STARTER = Starter()
"""One for each process of the test run."""
