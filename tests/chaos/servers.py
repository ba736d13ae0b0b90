"""The servers that runs share, and a fresh database for each run."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer
from ajo_local.postgres import Postgres, start_postgres
from ajo_local.processes import Processes

from tests.chaos.run import ROLE, ROLE_PASSWORD
from tests.chaos.stack import Broker, start_rabbitmq, start_valkey_broker
from tests.chaos.wall_clock import MISSING, WallClock
from tests.conftest import migrate
from tests.support.database import COPIED, query

TEMPLATE = "migrated"
SURVIVES_KILLS = {"fsync": "off", "synchronous_commit": "on", "full_page_writes": "off"}
"""A commit outlives the server's processes, as it must; the machine itself is never cut off here."""
WORKERS_RIGHTS = (
    f"create role {ROLE} login password '{ROLE_PASSWORD}'",
    f"grant usage on schema ledger to {ROLE}",
    f"grant select, insert, update, delete on all tables in schema ledger to {ROLE}",
    f"grant usage on schema audit to {ROLE}",
    f"grant select on audit.slow_rates, audit.waiting to {ROLE}",
)
"""What docs/ledger.md says that a worker needs; everything else is refused to it."""


@dataclass(frozen=True)
class Servers:
    """PostgreSQL, and the brokers that were asked for and can be had."""

    postgres: Postgres
    brokers: Sequence[Broker]
    clock: WallClock | None

    @contextmanager
    def database(self) -> Iterator[str]:
        """The name of a migrated, empty database, dropped afterwards."""
        name = f"chaos_{secrets.token_hex(6)}"
        query(self.postgres.url, f"create database {name} template {TEMPLATE} {COPIED}")
        try:
            yield name
        finally:
            query(self.postgres.url, f"drop database {name} with (force)")


def serve(processes: Processes, names: Sequence[str], rabbitmq: Path | None = None) -> Servers:
    """Start them; a broker that can't be had is left out, with a word."""
    postgres = start_postgres(processes, SURVIVES_KILLS)
    clock = None if MISSING else WallClock(postgres.data.parent)
    if clock is not None:
        postgres.env |= clock.env
        postgres.stop()
        postgres.start()
    query(postgres.url, f"create database {TEMPLATE}")
    migrate(postgres.url_of(TEMPLATE))
    for statement in WORKERS_RIGHTS:
        query(postgres.url_of(TEMPLATE), statement)
    brokers: list[Broker] = []
    for name in names:
        if name == "valkey":
            brokers.append(start_valkey_broker(processes))
        elif (node := start_rabbitmq(processes, rabbitmq)) is None:
            typer.echo("RabbitMQ is not installed: its runs are left out", err=True)
        else:
            typer.echo(f"RabbitMQ {node.version}")
            brokers.append(node)
    return Servers(postgres, brokers, clock)
