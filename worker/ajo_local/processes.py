"""Processes that end with the block that started them, however it ends."""

import os
import pwd
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import BinaryIO, NoReturn, Self, TypedDict

from ajo_local import keeper
from ajo_local.child import Child


def environment() -> dict[str, str]:
    """This process's environment less its ``AJO_`` variables, and less proxies: a local stack has its own settings, and
    only those.
    """
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AJO_") and name.lower() not in {"http_proxy", "https_proxy"}
    }
    return {**own, "PYTHONUNBUFFERED": "1"}


class AccountOptions(TypedDict):
    """What ``subprocess`` is told of whose rights a process gets."""

    user: str | None
    group: int | None
    extra_groups: list[str | int] | None


def as_account(account: str | None) -> AccountOptions:
    """The rights of an account and of its group alone, or of the caller if it is None."""
    if account is None:
        return {"user": None, "group": None, "extra_groups": None}
    return {"user": account, "group": pwd.getpwnam(account).pw_gid, "extra_groups": []}


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does: by an exception, so that everything it started is stopped."""

    def stop(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 - what the signal module calls
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class Processes:
    """Starts processes and temporary folders that end with the ``with`` block: the newest first, and by the keeper
    if this process itself is killed.

    Each process is the leader of its own group, so that Ctrl-C reaches only this process, which then stops the
    others in order.
    """

    def __init__(self) -> None:
        self._children: list[Child] = []
        self._folders: list[tempfile.TemporaryDirectory[str]] = []

    def __enter__(self) -> Self:
        self._keeper = self._start_keeper()
        self.logs = self.folder()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for child in reversed(self._children[:]):
            child.stop()
        for folder in reversed(self._folders):
            folder.cleanup()
        self._end_keeper()

    def _start_keeper(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(  # noqa: S603 - our own script
            [sys.executable, "-I", "-S", keeper.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def _end_keeper(self) -> None:
        if self._keeper.stdin is not None:
            self._keeper.stdin.close()
        self._keeper.wait()

    def folder(self, within: Path | None = None) -> Path:
        """A new temporary folder of this stack, removed with it; in the usual place for such, or ``within`` another."""
        folder = tempfile.TemporaryDirectory(prefix="ajo-dispatch-", dir=within, ignore_cleanup_errors=True)
        self._folders.append(folder)
        self._tell_keeper(f"remove {folder.name}")
        return Path(folder.name)

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        grace: float = 10,
        account: str | None = None,
    ) -> Child:
        """Start a process.

        Args:
            name: what it is called in messages, and its log file.
            command: the program and its arguments.
            env: variables beside this process's own, see ``environment``.
            cwd: its working folder.
            stop_signal: what it is first asked to end with.
            grace: seconds until it is killed after that.
            account: the user whose rights it gets; for root alone.
        """
        log = self.logs / f"{name}-{len(self._children)}-{time.monotonic_ns()}.log"
        with log.open("wb") as output:
            popen = self._open([str(word) for word in command], {**environment(), **(env or {})}, cwd, output, account)
        self._tell_keeper(f"watch {popen.pid} {stop_signal.value}")
        child = Child(name, popen, log, stop_signal, grace, self._forget)
        self._children.append(child)
        return child

    def _open(
        self, command: list[str], env: dict[str, str], cwd: Path | None, output: BinaryIO, account: str | None
    ) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603 - the stack's own commands
            command,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **as_account(account),
        )

    def check(self, *, except_for: Child | None = None) -> None:
        """Raise LocalStackError if any process that was not stopped has ended; one may be expected to."""
        for child in self._children:
            if child is not except_for:
                child.check()

    def _forget(self, child: Child) -> None:
        if child in self._children:
            self._children.remove(child)
            self._tell_keeper(f"forget {child.pid}")

    def _tell_keeper(self, order: str) -> None:
        if self._keeper.stdin is None:
            raise RuntimeError("the keeper has no standard input")
        self._keeper.stdin.write(order + "\n")
        self._keeper.stdin.flush()
