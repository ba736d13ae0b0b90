"""Secrets, certificates and addresses that change while a worker runs: it takes them up, and goes on."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex

import pytest
import redis
from ajo_local.processes import Processes
from ajo_local.valkey import Valkey, start_valkey

from tests.support.conservation import journal, ledger
from tests.support.database import query
from tests.support.delivery import Delivery
from tests.support.programs import PROGRAM, Simulator, start_simulator
from tests.support.waiting import DEADLINE_SECONDS, wait_until

CALM = "[latency]\nseconds = 0.02\n"
COUNT = 20


def accepted(url: str) -> int:
    return Counter(row["state"] for row in ledger(url).values())["accepted"]


def test_secrets_and_certificates_that_change_in_their_files(
    database_url: str,
    prepare_delivery: Callable[..., Delivery],
    processes: Processes,
    tmp_path: Path,
) -> None:
    valkey, role = start_valkey(processes, appendfsync=None), f"rotating{token_hex(4)}"
    place = database_url.partition("@")[2]
    files = {name: tmp_path / name.lower() for name in ("AJO_BROKER_URL", "AJO_DATABASE_URL", "AJO_CLIENT_SECRET")}
    trusted = tmp_path / "trusted.pem"

    def served(port: str, secret: str) -> Simulator:
        options = ("--tls", "--ca-out", str(trusted), "--client-secret", secret, "--port", port)
        return start_simulator(processes, tmp_path / secret, CALM, *options)

    def tell(secret: str) -> None:
        files["AJO_BROKER_URL"].write_text(f"{valkey.url}\n")
        files["AJO_DATABASE_URL"].write_text(f"postgresql://{role}:{secret}@{place}\n")
        files["AJO_CLIENT_SECRET"].write_text(f"{secret}\n")

    query(database_url, f"create role {role} login password 'first' in role ajo")
    tell("first")
    api = served("0", "first")
    unset = dict.fromkeys(files, "")
    delivery = prepare_delivery("", CALM, **unset, AJO_BASE_URL=api.url, AJO_TOKEN_URL=api.token_url)
    delivery.env.update({f"{name}_FILE": str(file) for name, file in files.items()}, AJO_CA_FILE=str(trusted))
    worker = processes.start("worker", [PROGRAM, "worker"], env=delivery.env, grace=70)
    delivery.publish(COUNT)
    wait_until(lambda: accepted(database_url) == COUNT, what="all accepted")

    api.child.stop()
    query(database_url, f"alter role {role} password 'second'")
    query(database_url, "select pg_terminate_backend(pid) from pg_stat_activity where usename = $1", role)
    change_password(valkey)
    worker.wait_for_output("broker-fault", timeout=DEADLINE_SECONDS)
    worker.wait_for_output("InvalidPassword", timeout=DEADLINE_SECONDS)
    served(api.url.rpartition(":")[2], "second")
    tell("second")
    delivery.publish(COUNT)
    wait_until(lambda: accepted(database_url) == 2 * COUNT, what="all accepted")
    assert worker.popen.poll() is None


def change_password(valkey: Valkey) -> None:
    """Give the broker another password, and cut whoever came in with the old one."""
    with redis.Redis.from_url(valkey.url) as client:
        valkey.password = token_hex(8)
        client.config_set("requirepass", valkey.password)
        client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mount namespaces take Linux, and root")
def test_a_name_that_leads_elsewhere(
    valkey_url: str,
    database_url: str,
    prepare_delivery: Callable[..., Delivery],
    processes: Processes,
    tmp_path: Path,
) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost\n")
    script = 'mount --bind "$0" /etc/hosts && exec "$1" worker'
    command = ["unshare", "--mount", "sh", "-c", script, str(hosts), str(PROGRAM)]
    if subprocess.run(["unshare", "--mount", "true"], check=False).returncode:
        pytest.skip("this machine allows no mount namespaces")
    delivery = prepare_delivery(valkey_url, CALM)
    port = delivery.api.url.rpartition(":")[2]
    delivery.env["AJO_BASE_URL"] = f"http://localhost:{port}"
    delivery.env["AJO_TOKEN_URL"] = f"http://localhost:{port}/ims/token/v3"
    worker = processes.start("worker", command, env=delivery.env, grace=70)
    delivery.publish(COUNT)
    wait_until(lambda: accepted(database_url) == COUNT, what="all accepted")
    other = start_simulator(processes, tmp_path / "other", CALM, "--host", "127.0.0.2", "--port", port)
    hosts.write_text("127.0.0.2 localhost\n")
    delivery.api.child.stop()
    delivery.publish(COUNT)
    wait_until(lambda: accepted(database_url) == 2 * COUNT, what="all accepted")
    assert len(journal(other.journal)) >= COUNT
    assert worker.popen.poll() is None
