"""A process that has imported the whole command line once and becomes it again and again: each command is a fork of it.

A fresh interpreter spends most of a second of CPU on its imports, and the tests run thousands of commands. A fork is a
process of its own in every other respect: its group, its environment, its folder, its streams, its signals, its end.

Orders come over the socket on standard input: a length, as much JSON, and with its first byte four descriptors. They
are the command's three streams, and a socket where the pid is told, and later how it ended (as ``waitpid`` says it).
"""

import atexit
import gc
import importlib
import io
import json
import os
import selectors
import signal
import socket
import struct
import sys
import threading
import time
import traceback
from importlib.metadata import entry_points
from typing import Any, NoReturn

from ajo_producers.cli import discovery
from ajo_producers.cli.main import main
from ajo_worker.settings import settings

COMMANDS = "ajo_dispatch.commands"
LENGTH = struct.Struct("!I")
DESCRIPTORS = 4
LATER = (  # what commands import while they run; not ajo_worker.app, which reads its settings when it is imported
    "ajo_worker.bootstrap",
    "alembic.command",
    "asyncpg",
    "celery.apps.worker",
    "celery.bin.worker",
    "celery.worker.consumer",
    "kombu.transport.pyamqp",
    "kombu.transport.redis",
    "rich.markdown",
    "sqlalchemy.dialects.postgresql.asyncpg",
    "typer.rich_utils",
    "uvloop",
)


def warm_up() -> None:
    """Import what commands import, and keep the collector from touching it in every fork."""
    commands = entry_points(group=COMMANDS)
    for command in commands:
        command.load()
    discovery.entry_points = lambda **_: commands  # type: ignore[assignment, attr-defined] # else each fork reads all distributions
    for name in LATER:
        importlib.import_module(name)
    if settings.cache_info().currsize:
        raise RuntimeError("an import has read the settings, which every fork would then have")
    gc.collect()
    gc.freeze()


def read_exactly(control: socket.socket, size: int, start: bytes = b"") -> bytes:
    """So many bytes from the socket; fewer at its end."""
    while len(start) < size and (more := control.recv(size - len(start))):
        start += more
    return start


def become(order: dict[str, Any], streams: list[int]) -> NoReturn:
    """Turn this fork into the command, and end with its exit code."""
    os.setsid()
    for target, stream in enumerate(streams):
        os.dup2(stream, target)
    for stream in streams:
        os.close(stream)
    os.environ.clear()
    os.environ.update(order["env"])
    time.tzset()
    os.chdir(order["cwd"])
    sys.argv = order["command"]
    plain = order["env"].get("PYTHONUNBUFFERED", "") != ""
    sys.stdin = sys.__stdin__ = open(0, encoding=sys.__stdin__.encoding, closefd=False)  # type: ignore[union-attr, misc] # noqa: SIM115 - as below
    for name, target, errors in (("stdout", 1, "strict"), ("stderr", 2, "backslashreplace")):
        raw = open(target, "wb", 0 if plain else -1, closefd=False)  # noqa: SIM115 - as long as the process
        text = io.TextIOWrapper(raw, "utf-8", errors, write_through=plain, line_buffering=target == 2)
        setattr(sys, name, text)
        setattr(sys, f"__{name}__", text)
    os._exit(ended(order["command"][1:]))


def ended(arguments: list[str]) -> int:
    """Run the command as its script does, and all that an interpreter does at its end; returns the exit code."""
    code = 0
    try:
        sys.exit(main(arguments))
    except SystemExit as end:
        if end.code is not None and not isinstance(end.code, int):
            sys.stderr.write(f"{end.code}\n")
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - as an interpreter does
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined] # as an interpreter does at its end; typeshed leaves it out
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
    except OSError:
        return code or 120
    return code


class Server:
    """Forks on order, and tells how each fork ended."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._reports: dict[int, socket.socket] = {}

    def serve(self) -> None:
        """Until the orders end."""
        wake, woken = socket.socketpair()
        wake.setblocking(False)
        woken.setblocking(False)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who gives the orders
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
        with selectors.DefaultSelector() as selector:
            selector.register(self._control, selectors.EVENT_READ)
            selector.register(wake, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is wake:
                        wake.recv(4096)
                        self._bury()
                    elif not self._obey((selector, wake, woken)):
                        return

    def _obey(self, ours: tuple[Any, ...]) -> bool:
        head, descriptors, _, _ = socket.recv_fds(self._control, LENGTH.size, DESCRIPTORS)
        if not head:
            return False
        size = LENGTH.unpack(read_exactly(self._control, LENGTH.size, head))[0]
        order = json.loads(read_exactly(self._control, size))
        report = socket.socket(fileno=descriptors[3])
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            for resource in (*ours, self._control, report, *self._reports.values()):
                resource.close()
            become(order, descriptors[:3])
        for descriptor in descriptors[:3]:
            os.close(descriptor)
        self._reports[pid] = report
        self._tell(report, pid)
        return True

    def _bury(self) -> None:
        while self._reports:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            with self._reports.pop(pid) as report:
                self._tell(report, status)

    def _tell(self, report: socket.socket, number: int) -> None:
        try:
            report.sendall(LENGTH.pack(number))
        except OSError:  # who gave the order is gone
            return


if __name__ == "__main__":
    warm_up()
    Server(socket.socket(fileno=os.dup(0))).serve()
