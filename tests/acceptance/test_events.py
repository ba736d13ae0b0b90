"""A business event goes from ``curl`` to a message that Journey Optimizer accepts, once however often it is sent."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from ajo_local.processes import Processes
from ajo_producers.testing import RunningSimulator

from tests.support.conservation import finished, ledger
from tests.support.intakes import TOKEN, order_event, start_intake, write_mappings
from tests.support.programs import Finished, Worker
from tests.support.waiting import DEADLINE_SECONDS, wait_until

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def test_an_event_that_is_posted_three_times_is_accepted_once(
    processes: Processes, valkey_url: str, queue_prefix: str, database_url: str, tmp_path: Path,
    worker: Callable[..., Worker], ajo_simulator: RunningSimulator,
) -> None:  # fmt: skip
    """With the simulator as users' tests have it."""
    if (curl := shutil.which("curl")) is None:
        pytest.skip("curl is not installed")
    broker = {"AJO_BROKER_URL": valkey_url, "AJO_QUEUE_PREFIX": queue_prefix}
    env = {**write_mappings(tmp_path), **broker, **ajo_simulator.env, "AJO_HASH_KEY": "test-hash-key"}
    intake = start_intake(processes, env)
    event = json.dumps(order_event(1, traceparent=f"00-{TRACE}-00f067aa0ba902b7-01"))
    headers = ["-H", f"Authorization: Bearer {TOKEN}", "-H", "Content-Type: application/cloudevents+json"]
    command = [curl, "-s", intake.url, *headers, "-d", event]
    answers = [json.loads(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    request_id = answers[0]["events"][0]["triggers"][0]["request_id"]
    worker(env)
    ajo_simulator.wait_for(request_id, seconds=DEADLINE_SECONDS)
    wait_until(lambda: finished(database_url) == 1, what="the trigger has a state")
    assert ajo_simulator.accepted().count(request_id) == 1
    row = ledger(database_url)[request_id]
    assert (row["state"], row["trace_id"]) == ("accepted", TRACE)


def test_a_file_of_events_is_tried_read_and_read_again_with_what_was_refused(
    valkey_url: str, queue_prefix: str, tmp_path: Path, run_cli: Callable[..., Finished]
) -> None:
    env = {**write_mappings(tmp_path), "AJO_BROKER_URL": valkey_url, "AJO_QUEUE_PREFIX": queue_prefix}
    bad = order_event(2, data={"orderId": "A-2"})
    lines = [order_event(1), bad, order_event(3, type="com.example.order.shiped"), order_event(4)]
    file, dead = tmp_path / "events.jsonl", tmp_path / "dead.jsonl"
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    assert run_cli("events", "check", env=env).out.endswith("events.toml: no faults\n")

    tried = run_cli("events", "test", file, "--json", env=env)
    assert (tried.code, [one["status"] for one in json.loads(tried.out)]) == (
        1,
        ["taken", "refused", "unmatched", "taken"],
    )
    assert "person1@example.com" not in tried.out
    assert "person1@example.com" in run_cli("events", "test", file, "--payload", env=env).out

    read = run_cli("events", "read", file, "--dead-letters", dead, env=env)
    assert (read.code, read.out) == (1, f"{file}: 4 events (2 taken, 1 unmatched, 1 refused); 2 triggers confirmed\n")
    assert read.err.splitlines() == [
        "line 2: order-shipped: data.email is missing, for to of order-shipped",
        "line 3: type com.example.order.shiped is taken by no mapping; did you mean com.example.order.shipped?",
    ]
    mended = (
        (tmp_path / "events.toml")
        .read_text()
        .replace("order.shipped", "order.ship*ed")
        .replace('"data.email"', '{ from = "data.email", missing = "skip" }')
    )
    (tmp_path / "events.toml").write_text(mended, encoding="utf-8")
    again = run_cli("events", "read", dead, env=env)
    assert (again.code, again.out) == (0, f"{dead}: 2 events (1 taken, 1 skipped); 1 trigger confirmed\n")
    with redis.Redis.from_url(valkey_url) as client:
        assert client.llen(f"{queue_prefix}.standard") == 2, "messages, of two batches"
