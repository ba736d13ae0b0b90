"""Contenders of ours: workers of this checkout, or of others that are to be compared with it."""

import os
import secrets
import subprocess
import sysconfig
from collections.abc import Mapping
from pathlib import Path

import psycopg
from ajo_local.processes import environment

from benchmarks.bench.building import HERE, PEERS, ROOT
from benchmarks.bench.contender import Broker, Contender, Place, Program, Records
from benchmarks.bench.servers import Servers
from tests.support.database import COPIED

LABELS = {"rabbitmq": "RabbitMQ", "valkey": "Valkey"}
BATCHES = (1, 20, 100)
QUEUES = ("{queue}.standard", "{queue}.standard.urgent")
UNACKED = ("{queue}.unacked", "{queue}.unacked.index")
OF_THE_RUN = "request_id >= %(first)s and state = 'accepted'"
"""Request ids of one run are made one after the other, and begin with the time."""


class Checkout:
    """A clone whose ``make`` has been run: the programs in its ``.venv``."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root.resolve()
        own = self.root == ROOT
        self.programs = Path(sysconfig.get_path("scripts")) if own else self.root / ".venv/bin"
        self.template = f"template_{secrets.token_hex(4)}"
        self._filled: set[str] = set()

    def publishing(self, batch: int) -> Program:
        """Our SDK of this checkout, in messages of so many triggers; 0 is ``publish()``, one by one."""
        return [self.programs / "python", HERE / "publish.py", str(batch)]

    def create(self, servers: Servers, name: str) -> None:
        """A migrated, empty database."""
        if servers.postgres.url not in self._filled:
            self._filled.add(servers.postgres.url)
            ask(servers.postgres.url, f"create database {self.template}")
            migrate(self, servers.postgres.url_of(self.template))
        ask(servers.postgres.url, f"create database {name} template {self.template} {COPIED}")


def ask(url: str, statement: str) -> None:
    """Execute one statement, outside a transaction."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def migrate(checkout: Checkout, url: str) -> None:
    """Bring a database to the newest schema of a checkout."""
    command: list[str | Path] = [checkout.programs / "ajo-dispatch", "db", "upgrade"]
    env = environment() | {"AJO_DATABASE_URL": url}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")


def ours(
    broker: Broker, batch: int, *, checkout: Checkout, processes: int = 1, settings: Mapping[str, str] | None = None
) -> Contender:
    """Workers of ours, at defaults but for ``settings``; messages of ``batch`` triggers."""

    def env(place: Place) -> Mapping[str, str]:
        authority = {"AJO_CA_FILE": str(place.endpoint.tls.authority)} if place.endpoint.tls else {}
        return {
            "AJO_BROKER_URL": place.servers.broker_url(broker),
            "AJO_DATABASE_URL": place.database,
            "AJO_QUEUE_PREFIX": place.queue,
            "AJO_BASE_URL": place.endpoint.url,
            "AJO_TOKEN_URL": f"{place.endpoint.url}/ims/token/v3",
            "AJO_CLIENT_ID": "acme-key",
            "AJO_CLIENT_SECRET": "not-a-secret",
            "AJO_HASH_KEY": "not-a-key",
            "AJO_CAMPAIGNS": str(HERE),
            "AJO_LANES": "standard",
            "AJO_RATE_LIMIT_STANDARD": "1000000",
            **authority,
            **(settings or {}),
        }

    size = "single" if batch <= 1 else f"{batch} a message"
    command: list[str | Path] = [checkout.programs / "ajo-dispatch", "worker", "--name", f"bench-{os.getpid()}@%h"]
    several = ["--processes", str(processes)] if processes > 1 else []
    return Contender(
        name=f"ours, {LABELS[broker]}, {size}",
        broker=broker,
        work=[[*command, *several]],
        environment=env,
        publish=checkout.publishing(batch),
        records=Records(
            checkout.create,
            f"select count(*), extract(epoch from max(completed_at))::float8 from ledger.triggers where {OF_THE_RUN}",
            f"select request_id::text from ledger.triggers where {OF_THE_RUN}",
        ),
        queues=QUEUES if broker == "rabbitmq" else (*QUEUES, *UNACKED),
        warm_up=2000,
    )


def bare(concurrency: int) -> Contender:
    """The HTTP client of our attempts in a loop: no broker, no database, no rules."""
    program: list[str | Path] = [
        Path(sysconfig.get_path("scripts")) / "python",
        PEERS / "python/bare_loop.py",
        str(concurrency),
    ]

    def env(place: Place) -> Mapping[str, str]:
        authority = {"AJO_CA_FILE": str(place.endpoint.tls.authority)} if place.endpoint.tls else {}
        url = f"{place.endpoint.url}/ajo/im/executions/unitary"
        return {
            "BENCH_ENDPOINT": url,
            "BENCH_COUNT": str(place.count),
            "BENCH_DATABASE": "",
            "BENCH_QUEUE": "",
            "AJO_CLIENT_ID": "acme-key",
            **authority,
        }

    name = "bare loop of our HTTP client"
    return Contender(name=name, broker="none", work=[program], environment=env, warm_up=5000)
