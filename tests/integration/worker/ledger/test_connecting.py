"""Connections to PostgreSQL itself, through a real pgbouncer, and to the one of several hosts that will do."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from secrets import token_hex
from urllib.parse import urlsplit

import asyncpg
import pytest
from ajo_local.postgres import Postgres
from ajo_local.processes import Processes
from ajo_worker.ledger.connect_faults import NoHost, NoSession, SessionsMixed
from ajo_worker.ledger.connecting import Connector, is_direct
from ajo_worker.ledger.database import DatabaseError, connected
from ajo_worker.ledger.ledger import PLANNER
from ajo_worker.settings import read_settings, renewed

from tests.support.database import query
from tests.support.pgbouncer import start_pgbouncer
from tests.support.standby import promote, start_standby

SHOWN = "select name, setting from pg_settings where name = any($1)"
MIXING = {
    "transaction": ("transaction", {}),
    "transaction, in turn": ("transaction", {"server_round_robin": "1"}),
    "statement": ("statement", {}),
}


@pytest.fixture
def blackhole() -> Iterator[str]:
    """The address of a host that takes no connection and refuses none, as one that is switched off."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=0)) as server, closing(socket.socket()) as first:
        first.connect(server.getsockname())  # what the kernel takes for it; the next one gets no answer
        yield f"127.0.0.1:{server.getsockname()[1]}"


async def settings_of(connection: asyncpg.Connection) -> dict[str, str]:
    """The settings that writers ask for, and the connection's name, as the server has them."""
    rows = await connection.fetch(SHOWN, [*PLANNER, "application_name"])
    return {row["name"]: row["setting"] for row in rows}


@pytest.mark.parametrize("pooled", [False, True])
async def test_a_connection_has_its_settings_also_through_a_pooler_that_keeps_sessions_apart(
    *, pooled: bool, session_postgres: Postgres, processes: Processes
) -> None:
    url = start_pgbouncer(processes, session_postgres.url, "session") if pooled else session_postgres.url
    connection = await Connector(lambda: url).connect("ajo-dispatch test", PLANNER)
    assert await is_direct(connection) is not pooled
    assert await settings_of(connection) == {**PLANNER, "application_name": "ajo-dispatch test"}
    await connection.close()


ASKED = (
    "default_transaction_isolation = 'repeatable read'",
    "idle_session_timeout = '10s'",
    "standard_conforming_strings = off",
)


async def test_what_is_asked_of_all_sessions_changes_neither_what_ours_see_nor_how_long_they_may_wait(
    database_url: str,
) -> None:
    for asked in ASKED:
        query(database_url, f"alter database {urlsplit(database_url).path[1:]} set {asked}")
    connection = await Connector(lambda: database_url).connect("ajo-dispatch test", {})
    assert await connection.fetchval("show transaction_isolation") == "read committed"
    assert await connection.fetchval("show idle_session_timeout") == "0"
    assert await connection.fetchval(r"select '\d'") == r"\d"
    await connection.close()


@pytest.mark.parametrize("how", MIXING)
async def test_a_pooler_that_mixes_up_sessions_is_refused_with_what_to_set_and_nothing_is_left_in_its_sessions(
    how: str, session_postgres: Postgres, processes: Processes
) -> None:
    mode, settings = MIXING[how]
    url = start_pgbouncer(processes, session_postgres.url, mode, **settings)
    with pytest.raises(SessionsMixed, match="pool_mode = session"):
        await Connector(lambda: url).connect("ajo-dispatch test", PLANNER)
    with pytest.raises(DatabaseError, match=r"127\.0\.0\.1:\d+ can't be used: .*pool_mode = session"):
        async with connected(url):
            pass
    other = await asyncpg.connect(url, statement_cache_size=0)
    try:
        assert await other.execute("select where current_setting('enable_seqscan') = 'on'") == "SELECT 1"
    finally:
        other.terminate()


NAME = """
import asyncio, os, sys
from ajo_worker.ledger.connecting import Connector
async def name():
    connection = await Connector(lambda: sys.argv[1]).connect("ajo-dispatch test", {})
    await connection.fetch("select $1::int", 1)
    named = "select string_agg(name, ' ') from pg_prepared_statements where statement ~ 'int$'"
    os.write(1, (await connection.fetchval(named) + "\\n").encode())  # whole, beside that of the other
    await connection.close()
fork = os.fork()  # as a parent of several workers does it
asyncio.run(name())
if fork:
    os.waitpid(fork, 0)
"""


def test_no_two_processes_have_prepared_statements_of_one_name(session_postgres: Postgres) -> None:
    """A pooler that begins to mix up sessions would have one do what another one prepared."""
    asked = [sys.executable, "-c", NAME, session_postgres.url]
    names = [
        name
        for _ in range(2)
        for name in subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    ]
    assert all(name.startswith("ajo_stmt_") for name in names)
    assert len(set(names)) == len(names) == 4


async def test_a_pooler_without_a_connection_to_spare_is_told_as_such(
    session_postgres: Postgres, processes: Processes
) -> None:
    url = start_pgbouncer(processes, session_postgres.url, "session", default_pool_size="1")
    taken = await asyncpg.connect(url)
    try:
        await taken.execute("select")
        with pytest.raises(NoSession, match="default_pool_size"):
            await Connector(lambda: url).connect("ajo-dispatch test", {}, seconds=1)
    finally:
        taken.terminate()


async def test_of_several_hosts_the_one_that_takes_writes_is_found_whatever_the_others_are(
    own_postgres: Postgres, blackhole: str
) -> None:
    """One is switched off, one refuses, one is a standby; after its promotion it is the other way round."""
    standby = await asyncio.to_thread(start_standby, own_postgres)
    refusing = "127.0.0.1:1"
    places = [urlsplit(server.url).netloc.rpartition("@")[2] for server in (standby, own_postgres)]
    user, _, _ = own_postgres.url.rpartition("@")
    connector = Connector(lambda: f"{user}@{','.join([blackhole, refusing, *places])}/postgres")

    async def port() -> int:
        connection = await connector.connect("ajo-dispatch test", {}, seconds=8)
        found: int = await connection.fetchval("select inet_server_port()")
        await connection.close()
        return found

    assert await port() == own_postgres.port
    await asyncio.to_thread(own_postgres.stop)
    with pytest.raises(NoHost) as none:
        await port()
    assert str(none.value).split("; ") == [
        f"{blackhole}: no answer in time",
        f"{refusing}: connection refused",
        f"{places[0]}: it takes no writes (a standby?)",
        f"{places[1]}: connection refused",
    ]
    assert own_postgres.password not in str(none.value)
    await asyncio.to_thread(promote, standby)
    assert await port() == standby.port


async def test_of_a_name_s_addresses_one_that_is_switched_off_keeps_nobody_from_the_others(
    session_postgres: Postgres, blackhole: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = ("127.0.0.1", int(blackhole.rpartition(":")[2]))
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in (dead, ("127.0.0.1", session_postgres.port))
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    url = session_postgres.url.replace("127.0.0.1", "db.example.com")
    connection = await Connector(lambda: url).connect("ajo-dispatch test", {}, seconds=8)
    assert await connection.fetchval("select inet_server_port()") == session_postgres.port
    await connection.close()


async def test_a_password_that_is_rotated_in_its_file_is_taken_up(
    session_postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    role, file = f"r{token_hex(6)}", tmp_path / "url"
    monkeypatch.delenv("AJO_DATABASE_URL", raising=False)
    monkeypatch.setenv("AJO_DATABASE_URL_FILE", str(file))
    place = session_postgres.url.partition("@")[2]
    query(session_postgres.url, f"create role {role} login password 'old'")
    try:
        file.write_text(f"postgresql://{role}:old@{place}\n")
        connector = Connector(renewed(read_settings(), "database_url").now)
        await (await connector.connect("ajo-dispatch test", PLANNER)).close()
        query(session_postgres.url, f"alter role {role} password 'new'")
        with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
            await connector.connect("ajo-dispatch test", PLANNER)
        file.write_text(f"postgresql://{role}:new@{place}\n")
        await (await connector.connect("ajo-dispatch test", PLANNER)).close()
    finally:
        query(session_postgres.url, f"drop role {role}")


@pytest.mark.parametrize("encoding", ["WIN1252", "SQL_ASCII"])
async def test_a_database_that_lacks_letters_is_refused_with_how_to_make_one_that_does_not(
    encoding: str, session_postgres: Postgres
) -> None:
    name = f"encoded_{token_hex(6)}"
    query(session_postgres.url, f"create database {name} encoding '{encoding}' locale 'C' template template0")
    try:
        with pytest.raises(DatabaseError, match=f"its encoding is {encoding}.* createdb --encoding=UTF8"):
            async with connected(session_postgres.url_of(name)):
                pass
    finally:
        query(session_postgres.url, f"drop database {name}")


async def test_a_pipe_in_a_certificate_s_place_is_told_and_stops_no_loop(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ca.pem")
    url = f"postgresql://u:p@127.0.0.1:1/db?sslmode=verify-full&sslrootcert={tmp_path}/ca.pem"
    with pytest.raises(DatabaseError, match=r"can't reach .*: sslrootcert: .*ca\.pem: is no regular file"):
        async with connected(url):
            pass
