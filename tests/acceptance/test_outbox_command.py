"""``ajo-dispatch outbox``: its table, its relay as a process, and what it says of an outbox."""

import json
import os
import re
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import psycopg
import pytest
from ajo_local.processes import Processes
from ajo_producers import Campaigns, outbox
from kombu import Connection

from tests.support.conservation import write_definition
from tests.support.database import query
from tests.support.programs import PROGRAM, Finished
from tests.support.waiting import DEADLINE_SECONDS, wait_until

FAULTY = """
    insert into ajo_outbox (request_id, shard, lane, priority, campaign, payload, fault)
    values (gen_random_uuid(), 1, 'standard', 'normal', 'order-shipped', 'x', 'it is no good')
"""


@pytest.fixture
def env(database_url: str, rabbitmq_url: str, queue_prefix: str) -> dict[str, str]:
    return {"AJO_OUTBOX_URL": database_url, "AJO_BROKER_URL": rabbitmq_url, "AJO_QUEUE_PREFIX": queue_prefix}


def test_from_the_table_to_the_queue(
    env: dict[str, str], run_cli: Callable[..., Finished], processes: Processes, tmp_path: Path
) -> None:
    url, queue = env["AJO_OUTBOX_URL"], f"{env['AJO_QUEUE_PREFIX']}.standard"
    missing = run_cli("outbox", "status", env=env)
    assert missing.code == 1
    assert "'ajo-dispatch outbox sql' prints the statements that make it" in missing.err
    with psycopg.connect(url) as connection:
        connection.execute(run_cli("outbox", "sql", env={}).out)

    write_definition(tmp_path / "campaigns")
    campaign = Campaigns.load(tmp_path / "campaigns")["order-shipped"]
    with psycopg.connect(url) as connection:
        outbox.add(connection, campaign.trigger(to="ada@example.com", context={"orderId": "A-1"}))
    query(url, "update ajo_outbox set added_at = added_at - interval '2 minutes'")
    late = run_cli("outbox", "status", env=env)
    assert late.code == 1
    assert re.match(r"1 trigger waits, the oldest since 12\d\.\d s\n  standard, normal: 1, since", late.out)

    relay = processes.start("relay", [PROGRAM, "outbox", "relay", "--metrics-port", "0"], env=env, cwd=tmp_path)
    relay.wait_for_output("relaying ajo_outbox in database", timeout=DEADLINE_SECONDS)
    wait_until(lambda: query(url, "select from ajo_outbox") == [], what="the row is published and gone")
    address = re.search(r"metrics at (\S+)", relay.output())
    assert address is not None
    with urlopen(address[1]) as answer:
        assert "ajo_outbox_published_total 1\n" in answer.read().decode()
    assert relay.stop() == 0
    assert "stopped, with 1 trigger published" in relay.output()
    with Connection(env["AJO_BROKER_URL"]) as connection, connection.channel() as channel:
        assert channel.basic_get(queue, no_ack=True) is not None

    query(url, FAULTY)
    faulty = json.loads(run_cli("outbox", "status", "--json", env=env).out)
    assert (faulty["waiting"], faulty["late"], faulty["faulty"]) == (0, False, 1)
    assert faulty["faults"][0]["fault"] == "it is no good"
    assert run_cli("outbox", "retry", env=env).out == "rows that are tried again: 1\n"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"AJO_OUTBOX_URL": ""}, "AJO_OUTBOX_URL is not set"),
        ({"AJO_BROKER_URL": ""}, "AJO_BROKER_URL is not set"),
        ({"AJO_OUTBOX_KEYS": "secret"}, "AJO_OUTBOX_KEYS: key 1 of 1 is no Fernet key"),
    ],
)
def test_a_relay_without_a_setting_ends_at_once_and_says_which(
    run_cli: Callable[..., Finished], changes: dict[str, str], told: str
) -> None:
    env = {"AJO_OUTBOX_URL": "postgresql://h/d", "AJO_BROKER_URL": "amqp://h/", **changes}
    done = run_cli("outbox", "relay", env=env)
    assert (done.code, done.out) == (2, "")
    assert f"error: {told}" in done.err
    assert "secret" not in done.err


def test_a_second_signal_cuts_a_relay_off_and_its_rows_are_the_next_ones(
    env: dict[str, str], run_cli: Callable[..., Finished], processes: Processes, tmp_path: Path
) -> None:
    url = env["AJO_OUTBOX_URL"]
    with psycopg.connect(url) as connection:
        connection.execute(run_cli("outbox", "sql", env={}).out)
        write_definition(tmp_path / "campaigns")
        campaign = Campaigns.load(tmp_path / "campaigns")["order-shipped"]
        outbox.add(connection, campaign.trigger(to="ada@example.com", context={"orderId": "A-1"}))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        broker = f"amqp://127.0.0.1:{silent.getsockname()[1]}//"
        relay = processes.start("relay", [PROGRAM, "outbox", "relay"], cwd=tmp_path, env={
            **env, "AJO_BROKER_URL": broker, "AJO_PUBLISH_TIMEOUT": str(DEADLINE_SECONDS)})  # fmt: skip
        silent.accept()
        locked = "select from ajo_outbox for update skip locked"
        wait_until(lambda: query(url, locked) == [], what="the row is the relay's")
        for told in ("stopping: what is on its way", "cut off: what was on its way"):
            os.kill(relay.pid, signal.SIGTERM)
            relay.wait_for(lambda text=told: text in relay.output() or None, what=told, timeout=DEADLINE_SECONDS)
        relay.popen.wait(DEADLINE_SECONDS)
        assert relay.popen.returncode == 1
    wait_until(lambda: len(query(url, locked)) == 1, what="the row is free again")
