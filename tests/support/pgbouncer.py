"""A pgbouncer (Debian's) between a test and its PostgreSQL."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from ajo_local.child import Child
from ajo_local.ports import LOOPBACK, on_free_port
from ajo_local.processes import Processes
from ajo_local.rights import lesser_account, shared_place

PROGRAM = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")

START_SECONDS = 30


@dataclass
class Pooler:
    """A running pgbouncer; ``url`` is the database through it."""

    processes: Processes
    config: Path
    account: str | None
    url: str
    child: Child | None = None

    def start(self) -> None:
        """Start it, again on its port after it was stopped."""
        self.child = self.processes.start(
            "pgbouncer", [str(PROGRAM), str(self.config)], env={}, cwd=Path("/"), account=self.account
        )
        self.child.wait_until_ready("process up: PgBouncer", timeout=START_SECONDS)

    def stop(self) -> None:
        """Kill it, with all connections."""
        if self.child is not None:
            self.child.kill()


def start_pooler(processes: Processes, url: str, mode: str, *, port: int | None = None, **settings: str) -> Pooler:
    """A pgbouncer before ``url``'s database, with this ``pool_mode``."""
    parts, account = urlsplit(url), lesser_account()  # as PostgreSQL, it refuses to run as root
    folder = processes.folder(within=shared_place(lambda _: True)) if account else processes.folder()
    users, config = folder / "users.txt", folder / "pgbouncer.ini"
    users.write_text(f'"{parts.username}" "{parts.password}"\n', encoding="utf-8")

    def start(port: int) -> Pooler:
        own = {
            "listen_addr": LOOPBACK,
            "listen_port": str(port),
            "unix_socket_dir": "",
            "auth_type": "scram-sha-256",
            "auth_file": str(users),
            "pool_mode": mode,
        }
        lines = ["[databases]", f"* = host={parts.hostname} port={parts.port}", "[pgbouncer]"]
        lines += [f"{name} = {value}" for name, value in {**own, **settings}.items()]
        config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        for file in (folder, users, config):
            if account:
                shutil.chown(file, account)
        netloc = f"{parts.username}:{parts.password}@{LOOPBACK}:{port}"
        pooler = Pooler(processes, config, account, parts._replace(netloc=netloc).geturl())
        pooler.start()
        return pooler

    return on_free_port(start) if port is None else start(port)


def start_pgbouncer(processes: Processes, url: str, mode: str, *, port: int | None = None, **settings: str) -> str:
    """The address of ``url``'s database through a pgbouncer with this ``pool_mode``; skips where there is none."""
    if PROGRAM is None:
        pytest.skip("pgbouncer is not installed (apt-get install pgbouncer)")
    return start_pooler(processes, url, mode, port=port, **settings).url
