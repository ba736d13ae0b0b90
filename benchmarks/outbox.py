"""``python -m benchmarks.outbox``: what a relay publishes a second, and what adding costs an application.

The relay drains a backlog, with plain and with encrypted payloads, from a PostgreSQL whose commits are on disk. Then
many connections add a trigger a transaction, while a commit takes 5 ms, as with a slow disk or a synchronous standby:
with the outbox's own trigger, without it, and with one that always notifies. ``make outbox`` runs it.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import asyncpg
import psutil
import psycopg
from ajo_local.child import Child
from ajo_local.postgres import DURABLE, Postgres, start_postgres
from ajo_local.processes import Processes, ended_by_sigterm
from ajo_producers import Campaigns, CheckedTrigger
from ajo_producers.contract.sealing import new_key
from ajo_producers.outbox import Outbox, create_statements

from tests.chaos.stack import Broker, start_rabbitmq, start_valkey_broker
from tests.support.conservation import write_definition
from tests.support.programs import PROGRAM

BACKLOG = 60_000
ADDERS, ADDING_SECONDS, TURNS = 32, 3.0, 3
SLOW_COMMITS = (
    "ALTER SYSTEM SET commit_delay = 5000",
    "ALTER SYSTEM SET commit_siblings = 0",
    "SELECT pg_reload_conf()",
)
ALWAYS = "CREATE OR REPLACE FUNCTION ajo_outbox_wake() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " \
         "PERFORM pg_notify('ajo_outbox', ''); RETURN NULL; END $$"  # fmt: skip


def triggers(count: int) -> Iterator[CheckedTrigger]:
    """As many triggers, each of somebody else."""
    with tempfile.TemporaryDirectory(prefix="ajo-") as folder:
        write_definition(Path(folder))
        campaign = Campaigns.load(folder)["order-shipped"]
    for number in range(count):
        yield campaign.trigger(to=f"person{number}@example.com", context={"orderId": f"A-{number}"})


def cpu(pid: int) -> float:
    """Seconds of CPU of a process and those that it started and that still run."""
    process = psutil.Process(pid)
    return sum(sum(each.cpu_times()[:2]) for each in [process, *process.children(recursive=True)])


@contextmanager
def relaying(processes: Processes, env: dict[str, str]) -> Iterator[Child]:
    """A relay as a process."""
    relay = processes.start("relay", [PROGRAM, "outbox", "relay"], env=env)
    relay.wait_for_output("relaying ", timeout=60)
    try:
        yield relay
    finally:
        relay.stop()


def waiting(url: str) -> int:
    """How many rows there are."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM ajo_outbox").fetchone()
    return row[0] if row else 0


def drain(processes: Processes, server: Postgres, broker: Broker, several: list[CheckedTrigger], keys: str) -> None:
    """Print what a relay makes of a backlog."""
    env = {"AJO_OUTBOX_URL": server.url, "AJO_BROKER_URL": broker.url, "AJO_QUEUE_PREFIX": f"bench-{os.getpid()}"}
    env |= {"AJO_OUTBOX_KEYS": keys} if keys else {}
    began = time.process_time()
    with psycopg.connect(server.url) as connection:
        Outbox(keys=keys).add_many(connection, several)
    adding = (time.process_time() - began) / len(several)
    postgres = server.child.pid if server.child else 0
    with relaying(processes, env) as relay:
        began, own, theirs, seen = time.monotonic(), cpu(relay.pid), cpu(postgres), waiting(server.url)
        while left := waiting(server.url):
            time.sleep(0.1)
            if time.monotonic() - began > 300:
                raise SystemExit(f"{left} are left after 300 s:\n{relay.output()}")
        took, done = time.monotonic() - began, seen
        own, theirs = cpu(relay.pid) - own, cpu(postgres) - theirs
    print(
        f"{broker.name:9} {'sealed' if keys else 'plain':7} {done / took:8,.0f} triggers/s; CPU a trigger: relay "
        f"{own / done * 1e6:4.0f} µs, PostgreSQL {theirs / done * 1e6:4.0f} µs, adding {adding * 1e6:4.0f} µs"
    )


async def add_for_a_while(url: str, one: CheckedTrigger) -> float:
    """Transactions a second of all connections together, each of which adds one trigger."""
    done, deadline, box = 0, time.monotonic() + ADDING_SECONDS, Outbox()

    async def adder() -> None:
        nonlocal done
        connection = await asyncpg.connect(url)
        while time.monotonic() < deadline:
            async with connection.transaction():
                await box.add(connection, one)
            done += 1
        await connection.close()

    await asyncio.gather(*(adder() for _ in range(ADDERS)))
    return done / ADDING_SECONDS


def adding(processes: Processes, server: Postgres, broker: Broker) -> None:
    """Print what waking a relay costs those who add."""
    (one,) = triggers(1)
    env = {"AJO_OUTBOX_URL": server.url, "AJO_BROKER_URL": broker.url, "AJO_QUEUE_PREFIX": f"bench-{os.getpid()}"}
    enable = "ALTER TABLE ajo_outbox ENABLE TRIGGER ajo_outbox_wake"
    ways = {
        "nobody is woken": ("ALTER TABLE ajo_outbox DISABLE TRIGGER ajo_outbox_wake",),
        "only who sleeps": (enable, create_statements()[5].replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")),
        "every time": (enable, ALWAYS),
    }
    found: dict[str, list[float]] = {way: [] for way in ways}
    for statement in SLOW_COMMITS:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(statement)
    with relaying(processes, env):
        for way in list(ways) * TURNS:
            with psycopg.connect(server.url) as connection:
                for statement in ways[way]:
                    connection.execute(statement)
            found[way].append(asyncio.run(add_for_a_while(server.url, one)))
    for way, rates in found.items():
        print(f"{way:16} {median(rates):8,.0f} transactions/s of {ADDERS} connections")


def main() -> None:
    """Start the servers and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", choices=("rabbitmq", "valkey"), action="append")
    parser.add_argument("--adding-only", action="store_true")
    options = parser.parse_args()
    several = list(triggers(BACKLOG))
    with ended_by_sigterm(), Processes() as processes:
        server = start_postgres(processes, DURABLE)
        with psycopg.connect(server.url) as connection:
            for statement in create_statements():
                connection.execute(statement)
        for name in options.broker or ("rabbitmq", "valkey"):
            broker: Broker | None = start_rabbitmq(processes) if name == "rabbitmq" else start_valkey_broker(processes)
            if broker is None or options.adding_only:
                continue
            for keys in ("", new_key()):
                drain(processes, server, broker, several, keys)
        adding(processes, server, start_valkey_broker(processes))


if __name__ == "__main__":
    main()
