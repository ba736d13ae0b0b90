"""Flower shows the worker, the tasks and their retries; and nothing secret or personal is anywhere."""

import base64
import json
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from ajo_local.child import Child
from ajo_local.ports import free_port
from ajo_local.processes import Processes, environment
from celery import Celery

from tests.support.conservation import finished
from tests.support.database import query
from tests.support.delivery import SECRET, Delivery
from tests.support.waiting import DEADLINE_SECONDS, wait_until

COUNT = 60
BATCH = 4
USER, PASSWORD = "operator", "flower-password"
RETRIED = '[[fault]]\nshare = 0.4\nattempts = 1\nkind = "status"\nstatus = 503\n'
READY = re.compile(r'"event": "(\S+@\S+) ready\.')
ADDRESS = re.compile(r"[\w.+-]+@example\.com")


def get(url: str) -> str:
    """A page of Flower."""
    token = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    with urlopen(Request(url, headers={"authorization": f"Basic {token}"}), timeout=DEADLINE_SECONDS) as answer:
        text: str = answer.read().decode()
    return text


def start_flower(processes: Processes, env: dict[str, str]) -> tuple[Child, str]:
    """Start Flower as docker-compose does, on a free port."""
    port = free_port()
    command = [sys.executable, "-m", "celery", "-A", "ajo_worker.app", "flower", f"--basic-auth={USER}:{PASSWORD}"]
    child = processes.start("flower", [*command, "--address=127.0.0.1", f"--port={port}"], env=env)
    child.wait_for_output("Visit me at", timeout=DEADLINE_SECONDS)
    return child, f"http://127.0.0.1:{port}"


def every_text_of(url: str) -> list[str]:
    """All columns that hold text, JSON or bytes, of all tables of the ledger, as text."""
    tables = query(url, "select table_name from information_schema.tables where table_schema = 'ledger'")
    rows = [query(url, f"select t::text as line from ledger.{table['table_name']} t") for table in tables]
    return [row["line"] for found in rows for row in found]


@pytest.fixture
def flower_run(
    broker_url: str, database_url: str, processes: Processes, prepare_delivery: Callable[..., Delivery]
) -> dict[str, Any]:
    """A worker that Flower watches, and triggers of which some needed a retry."""
    delivery = prepare_delivery(broker_url, RETRIED, AJO_LOG_LEVEL="DEBUG")
    started = delivery.start_worker()
    flower, url = start_flower(processes, delivery.env)
    ready = READY.search(started.child.output())
    assert ready
    name = ready[1]  # other tests' workers may be on the same RabbitMQ
    wait_until(lambda: name in json.loads(get(f"{url}/api/workers?refresh=1")), what="Flower sees the worker")
    delivery.publish(COUNT, 1)
    for expired in (1, BATCH):
        delivery.publish_lines(lines_of_which_expire(expired))
    wait_until(lambda: finished(database_url) == COUNT + 2 * BATCH, what="all triggers with a state")
    found = {"url": url, "database": database_url, "delivery": delivery, "worker": started.child, "flower": flower}
    return {"name": name, **found}


def lines_of_which_expire(expired: int) -> list[dict[str, object]]:
    """A batch of triggers; the first ones expire before a worker can have them."""
    lines = [{"to": f"person{number}@example.com", "context": {"orderId": f"A-{number}"}} for number in range(BATCH)]
    return [{**line, "expires_in": 0.001} if number < expired else line for number, line in enumerate(lines)]


def test_flower_shows_worker_tasks_and_retries_and_nothing_personal_or_secret(flower_run: dict[str, Any]) -> None:
    url, database, name = flower_run["url"], flower_run["database"], flower_run["name"]

    def tasks() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(get(f"{url}/api/tasks?limit=1000&workername={name}"))
        done = [task for task in found.values() if task["state"] in ("SUCCESS", "FAILURE")]
        return found if len(done) == COUNT + 2 else {}

    every = wait_until(tasks, what=f"Flower shows {COUNT + 2} tasks as done")
    batches = {key: task for key, task in every.items() if "×" in task["args"]}
    shown = {key: task for key, task in every.items() if key not in batches}
    assert {task["name"] for task in every.values()} == {"ajo.dispatch"}
    assert {task["state"] for task in shown.values()} == {"SUCCESS"}
    assert {task["exception"] for task in shown.values()} == {None}, "a retry that healed is no exception"
    rows = query(database, "select request_id, batch_id, attempts from audit.triggers")
    single = [row for row in rows if str(row["batch_id"]) not in batches]
    retried = sum(row["attempts"] > 1 for row in single)
    assert retried, "the scenario's faults were not hit"
    assert sum(task["retries"] > 0 for task in shown.values()) == retried
    ids = {str(row["request_id"]) for row in single}
    assert shown.keys() == ids, "a task is found by its trigger's request id"

    told = {task["result"]: (key, task["state"], task["exception"]) for key, task in batches.items()}
    mostly = f"{BATCH} triggers: {BATCH - 1} accepted, 1 expired (expires-at)"
    failed = f"{BATCH} triggers: {BATCH} expired (expires-at)"
    assert {result: rest[1:] for result, rest in told.items()} == {
        mostly: ("SUCCESS", None),
        failed: ("FAILURE", failed),
    }
    delivery = flower_run["delivery"]
    answer = delivery.run_cli("status", told[mostly][0], env=delivery.env)
    assert answer.out.count("expires-at") == 2, "once by reason, once by trigger"

    def asked() -> dict[str, Any]:  # Flower gives a worker a second for its answer
        found: dict[str, Any] = json.loads(get(f"{url}/api/workers?refresh=1"))
        return found if "stats" in found.get(name, {}) else {}

    workers = wait_until(asked, what="the worker answers Flower")
    assert "ajo_worker.intake.pool:AsyncioPool" in json.dumps(workers[name]["stats"])

    one = next(iter(ids))
    pages = [get(f"{url}{path}") for path in ("/", "/workers", f"/worker/{name}", "/tasks", f"/task/{one}", "/broker")]
    texts = [*pages, json.dumps(every), json.dumps(workers), get(f"{url}/metrics")]
    texts += [get(f"{url}/api/task/info/{request_id}") for request_id in sorted(ids)[:10]]
    texts += [flower_run["worker"].output(), flower_run["flower"].output(), *every_text_of(database)]
    password = database.partition("@")[0].rpartition(":")[2]
    for planted in (SECRET, "test-hash-key", "simulated-", password):
        assert not [text[:200] for text in texts if planted in text], f"{planted!r} is shown"
    assert not [found[0] for text in texts if (found := ADDRESS.search(text))]
    assert not [line for line in texts if "person1" in line]


def test_a_rate_limit_and_a_cancelled_consumer_of_flowers_keep_no_message_waiting(
    valkey_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    """Celery would hold them for ever, or leave them in their queue, and nothing would tell of it."""
    delivery = prepare_delivery(valkey_url, "")
    worker = delivery.start_worker().child
    with Celery(broker=valkey_url) as flower:

        def limited() -> bool:  # what is told before the worker listens for it is lost
            flower.control.rate_limit("ajo.dispatch", "1/h")
            flower.control.cancel_consumer(f"{delivery.env['AJO_QUEUE_PREFIX']}.standard")
            return all(f'"command": "{told}"' in worker.output() for told in ("rate_limit", "cancel_consumer"))

        wait_until(limited, what="the worker was told")
    delivery.publish(BATCH, 1)
    wait_until(lambda: finished(database_url) == BATCH, what="all triggers with a state")


def test_flower_asks_for_its_password(
    broker_url: str, database_url: str, queue_prefix: str, processes: Processes, tmp_path: Path
) -> None:
    env = {"AJO_BROKER_URL": broker_url, "AJO_DATABASE_URL": database_url, "AJO_QUEUE_PREFIX": queue_prefix}
    _, url = start_flower(processes, env)
    with pytest.raises(OSError, match="401"), urlopen(f"{url}/tasks", timeout=DEADLINE_SECONDS):
        pass


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({}, 1, "error: another program listens there already: give another --port"),
        ({"AJO_PREFETCH": "0"}, 2, "error: AJO_PREFETCH: should be greater than 0"),
    ],
)
def test_flower_that_can_not_start_ends_with_a_code_and_a_line(change: dict[str, str], code: int, said: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        options = ["flower", "--address=127.0.0.1", f"--port={taken.getsockname()[1]}"]
        done = subprocess.run(
            [sys.executable, "-m", "celery", "-A", "ajo_worker.app", *options],
            env={**environment(), **change},
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
    assert done.returncode == code
    assert done.stderr.startswith(said)
    assert len(done.stderr.splitlines()) == 1
