"""A pgbouncer (Debian's) between a test and its PostgreSQL."""

import shutil
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from ajo_worker.local.ports import LOOPBACK, on_free_port
from ajo_worker.local.processes import Processes
from ajo_worker.local.rights import lesser_account, shared_place

PROGRAM = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")

START_SECONDS = 30


def start_pgbouncer(processes: Processes, url: str, mode: str, *, port: int | None = None, **settings: str) -> str:
    """The address of ``url``'s database through a pgbouncer with this ``pool_mode``; skips where there is none."""
    if PROGRAM is None:
        pytest.skip("pgbouncer is not installed (apt-get install pgbouncer)")
    parts, account = urlsplit(url), lesser_account()  # as PostgreSQL, it refuses to run as root
    folder = processes.folder(within=shared_place(lambda _: True)) if account else processes.folder()
    users, config = folder / "users.txt", folder / "pgbouncer.ini"
    users.write_text(f'"{parts.username}" "{parts.password}"\n', encoding="utf-8")

    def start(port: int) -> str:
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
        child = processes.start("pgbouncer", [PROGRAM, str(config)], env={}, cwd=Path("/"), account=account)
        child.wait_until_ready("process up: PgBouncer", timeout=START_SECONDS)
        return parts._replace(netloc=f"{parts.username}:{parts.password}@{LOOPBACK}:{port}").geturl()

    return on_free_port(start, "Address already in use") if port is None else start(port)
