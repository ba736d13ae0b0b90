"""A standby of a test's own PostgreSQL, which it may promote."""

import os
import secrets
import subprocess
from urllib.parse import urlsplit

from ajo_local.postgres import Postgres
from ajo_local.processes import as_account

from tests.support.database import query
from tests.support.waiting import wait_until


def start_standby(primary: Postgres) -> Postgres:
    """A server that follows ``primary``, with the same roles and passwords."""
    parts = urlsplit(primary.url)
    data = primary.data.parent / f"standby-{secrets.token_hex(3)}"
    command = [
        str(primary.binaries / "pg_basebackup"),
        "-D",
        str(data),
        "-R",
        "-X",
        "stream",
        "-c",
        "fast",
        "--no-sync",
    ]
    command += ["-h", str(parts.hostname), "-p", str(parts.port), "-U", str(parts.username)]
    env = {**os.environ, "PGPASSWORD": primary.password, "TZ": "UTC"}
    subprocess.run(command, env=env, cwd="/", **as_account(primary.account), check=True, capture_output=True)
    standby = Postgres(primary.processes, primary.binaries, data, primary.account, primary.password, primary.options)
    standby.start()
    return standby


def promote(standby: Postgres) -> None:
    """Make it a primary, and return once it takes writes."""
    query(standby.url, "select pg_promote()")
    wait_until(lambda: not query(standby.url, "select pg_is_in_recovery() as it")[0]["it"], what="the promotion")
