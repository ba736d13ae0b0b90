"""Connections to PostgreSQL notice that a machine has vanished, or that a firewall in between has forgotten them."""

import sys
from collections.abc import Iterator

import pytest
from ajo_local.postgres import VOLATILE, Postgres, start_postgres
from ajo_local.processes import Processes

from tests.support.database import query
from tests.support.namespaces import OtherMachine, missing
from tests.support.waiting import wait_until

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")

CLIENT = """
import asyncio, sys
from ajo_producers.outbox import database
from ajo_producers.outbox.settings import RelaySettings
from ajo_worker.ledger.connecting import Connector

async def connect(who, url):
    if who == "relay":
        return await database.connect(RelaySettings(url, "ajo_outbox", 0, 1, 60))
    return await Connector(lambda: url).connect("ajo-dispatch test", {}, command=600)

async def main(who, does, url):
    connection = await connect(who, url)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    if does == "asks":
        try:
            await connection.fetchval("select 1")
        except Exception as fault:
            print(type(fault).__name__, flush=True)
    while not connection.is_closed():
        await asyncio.sleep(0.1)
    print("closed", flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def postgres(session_processes: Processes) -> Postgres:
    """A server that other machines reach."""
    server = start_postgres(session_processes, {**VOLATILE, "listen_addresses": "0.0.0.0"})
    with (server.data / "pg_hba.conf").open("a") as rules:
        rules.write("host all all 10.213.0.0/16 scram-sha-256\n")
    query(server.url, "select pg_reload_conf()")
    return server


@pytest.fixture
def machine() -> Iterator[OtherMachine]:
    """Where the client is."""
    with OtherMachine() as machine:
        yield machine


@pytest.mark.parametrize("who", ["worker", "relay"])
@pytest.mark.parametrize("does", ["asks", "idles"])
def test_a_connection_whose_other_side_vanished_is_broken_soon_whatever_it_waits_for(
    who: str, does: str, machine: OtherMachine, postgres: Postgres
) -> None:
    url = postgres.url.replace("127.0.0.1", machine.here)
    with machine.running(sys.executable, "-c", CLIENT, who, does, url) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        assert client.stdout.readline() == "ready\n"
        machine.vanish()
        client.stdin.write("go\n")
        client.stdin.flush()
        if does == "asks":
            assert client.stdout.readline() == "ConnectionDoesNotExistError\n"
        assert client.stdout.readline() == "closed\n"


def test_the_session_of_a_worker_whose_machine_vanished_ends_soon(machine: OtherMachine, postgres: Postgres) -> None:
    """Else it would hold its locks, and one of PostgreSQL's few connections, for two hours."""
    url = postgres.url.replace("127.0.0.1", machine.here)
    sessions = "select count(*)::int as n from pg_stat_activity where application_name = 'ajo-dispatch test'"
    with machine.running(sys.executable, "-c", CLIENT, "worker", "idles", url) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == "ready\n"
        assert query(postgres.url, sessions) == [{"n": 1}]
        machine.vanish()
        client.kill()  # nobody hears of it
        wait_until(lambda: query(postgres.url, sessions) == [{"n": 0}], what="the session's end")
