"""Rights, policies and alarms of RabbitMQ: they need a node of our own, with its management API."""

import re
import shlex
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from ajo_local.ports import LOOPBACK, free_port
from ajo_local.processes import Processes
from ajo_producers.contract.lanes import QUORUM_ARGUMENTS

from tests.chaos.stack import SBIN, RabbitMQ, home_of_node
from tests.support.conservation import finished
from tests.support.delivery import Delivery
from tests.support.doctor import PASSWORD, Diagnose, declare, statuses
from tests.support.programs import PROGRAM
from tests.support.waiting import DEADLINE_SECONDS, wait_until

PORTS_APART = 10_000
USER = "limited"


def is_free(port: int) -> bool:
    """Whether nothing listens on a port of the loopback interface."""
    with socket.socket() as probe:
        try:
            probe.bind((LOOPBACK, port))
        except (OSError, OverflowError):
            return False
    return True


class Node(RabbitMQ):
    """A node whose management API is where it is by default, seen from its port of AMQP."""

    def api(self, method: str, path: str, body: object = None) -> Any:
        """Ask the management API as its administrator."""
        url = f"http://127.0.0.1:{self.port + PORTS_APART}/api/{path}"
        answer = httpx2.request(
            method, url, json=body, auth=("guest", "guest"), trust_env=False, timeout=DEADLINE_SECONDS
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def permit(self, **patterns: str) -> str:
        """Give the limited user these rights; returns its address."""
        self.api("PUT", f"users/{USER}", {"password": PASSWORD, "tags": ""})
        rights = {"configure": ".*", "write": ".*", "read": ".*", **patterns}
        self.api("PUT", f"permissions/%2F/{USER}", rights)
        return f"amqp://{USER}:{PASSWORD}@127.0.0.1:{self.port}//"


pytestmark = pytest.mark.xdist_group("rabbitmq-node")
"""One process of pytest-xdist, and so one node."""


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    """The node; it takes some seconds to start."""
    server = shutil.which("rabbitmq-server", path=SBIN) or shutil.which("rabbitmq-server")
    if server is None:
        pytest.skip("RabbitMQ is not installed (apt-get install rabbitmq-server)")
    with Processes() as processes:
        port = free_port()
        while not is_free(port + PORTS_APART):
            port = free_port()
        management = f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {port + PORTS_APART}\n"
        home = home_of_node(processes, plugins="rabbitmq_management", config=management)
        node = Node(processes, home, Path(server).parent, port, free_port())
        node.start()
        yield node


@pytest.fixture
def on_node(env: dict[str, str], node: Node) -> dict[str, str]:
    """All is well, on this node."""
    declare(node.url, env["AJO_QUEUE_PREFIX"], QUORUM_ARGUMENTS)
    return env | {"AJO_BROKER_URL": node.url, "AJO_LANES": "standard"}


@pytest.mark.parametrize(
    ("right", "others", "celerys"),
    [
        (
            "configure",
            {"queue {}.standard", "queue {}.standard.urgent"},
            "configure celeryev, configure celery.pidbox, configure reply.celery.pidbox, configure ajo-dispatch-…",
        ),
        ("write", set(), "write celeryev, write reply.celery.pidbox, write ajo-dispatch-….celery.pidbox"),
        ("read", set(), "read ajo-dispatch-….celery.pidbox, read celery.pidbox"),
    ],
    ids=["configure", "write", "read"],
)
def test_a_right_that_the_user_lacks_fails_by_its_name(
    on_node: dict[str, str], node: Node, right: str, others: set[str], celerys: str, diagnose: Diagnose
) -> None:
    code, found = diagnose(on_node | {"AJO_BROKER_URL": node.permit(**{right: "^elsewhere$"})})
    failed = {
        "broker permissions",
        "celery permissions",
        *(name.format(on_node["AJO_QUEUE_PREFIX"]) for name in others),
    }
    assert (code, statuses(found, "failed")) == (1, failed)
    assert found["broker permissions"]["found"] == f"the user may not {right}"
    assert str(found["celery permissions"]["found"]).startswith(f"the user may not {celerys}")
    assert f"policy of {on_node['AJO_QUEUE_PREFIX']}.standard" in statuses(found, "skipped")
    assert PASSWORD not in repr(found)
    assert USER not in repr(found)


def test_a_virtual_host_that_is_not_there_is_told_without_its_name(
    on_node: dict[str, str], node: Node, diagnose: Diagnose
) -> None:
    code, found = diagnose(on_node | {"AJO_BROKER_URL": node.permit() + PASSWORD})
    assert (code, statuses(found, "failed")) == (1, {"broker"})
    assert "no such virtual host" in str(found["broker"]["found"])


def test_a_policy_that_lowers_the_delivery_limit_fails_alone(
    on_node: dict[str, str], node: Node, diagnose: Diagnose
) -> None:
    queue = f"{on_node['AJO_QUEUE_PREFIX']}.standard"

    def known() -> bool:
        return "effective_policy_definition" in node.api("GET", f"queues/%2F/{queue}")

    _, early = diagnose(on_node)
    assert early[f"policy of {queue}"]["status"] in {"skipped", "ok"}  # a new queue's policies are not known at once
    wait_until(known, what="the management API knows the queue's policies")
    code, found = diagnose(on_node)
    assert (code, found[f"policy of {queue}"]["found"]) == (0, "none")
    policy = {"pattern": f"^{queue}$", "definition": {"delivery-limit": 20}, "apply-to": "queues"}
    node.api("PUT", "policies/%2F/few", policy)
    wait_until(
        lambda: node.api("GET", f"queues/%2F/{queue}").get("policy") == "few", what="the queue has its new policy"
    )
    code, found = diagnose(on_node)
    node.api("DELETE", "policies/%2F/few")
    assert (code, statuses(found, "failed")) == (1, {f"policy of {queue}"})
    assert str(found[f"policy of {queue}"]["found"]).startswith("few: delivery-limit 20 drops")


@contextmanager
def alarm_of_memory(node: Node) -> Iterator[None]:
    """While it is on RabbitMQ reads nothing more of what is published."""
    node.control("set_vm_memory_high_watermark", "absolute", "1")
    try:
        wait_until(lambda: node.api("GET", "nodes")[0].get("mem_alarm"), what="the alarm of memory is on")
        yield
    finally:
        node.control("set_vm_memory_high_watermark", "0.4")


def test_a_broker_that_blocks_publishers_fails_its_confirms_alone(
    on_node: dict[str, str], node: Node, diagnose: Diagnose
) -> None:
    with alarm_of_memory(node):
        code, found = diagnose(on_node, "--timeout", "10")
    assert (code, statuses(found, "failed")) == (1, {"broker confirms"})
    assert "alarm of memory or disk" in str(found["broker confirms"]["found"])


@pytest.mark.parametrize("starts", ["before the alarm", "during the alarm"])
def test_a_worker_takes_messages_and_can_be_stopped_while_the_broker_blocks_publishers(
    node: Node, prepare_delivery: Callable[..., Delivery], starts: str
) -> None:
    # Ten batches, one after another: while they go on, events for Flower are due again and again.
    delivery = prepare_delivery(node.url, "[latency]\nseconds = 0.02\n", AJO_RATE_LIMIT_STANDARD="20", AJO_PREFETCH="2")
    workers = [delivery.start_worker()] if starts == "before the alarm" else []
    published = delivery.publish(100, batch_size=10)
    with alarm_of_memory(node):
        if not workers:
            workers.append(delivery.start_worker())
        url = delivery.env["AJO_DATABASE_URL"]
        wait_until(lambda: finished(url) == len(published), what="all are sent", timeout=60)
        wait_until(lambda: "publishers-blocked" in workers[0].child.output(), what="the worker knows it")
        assert workers[0].child.stop() == 0


def documented_rights(prefix: str) -> dict[str, str]:
    """The patterns of docs/configuration.md, for a prefix."""
    text = (Path(__file__).parents[5] / "docs/configuration.md").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.strip().startswith("rabbitmqctl set_permissions"))
    patterns = shlex.split(line.replace("PREFIX", re.escape(prefix)))[-3:]
    return dict(zip(("configure", "write", "read"), patterns, strict=True))


def test_a_worker_with_the_documented_rights_delivers_and_the_doctor_finds_all_well(
    node: Node, prepare_delivery: Callable[..., Delivery], processes: Processes, diagnose: Diagnose
) -> None:
    delivery = prepare_delivery(node.url, "[latency]\nseconds = 0.02\n")
    delivery.env["AJO_BROKER_URL"] = node.permit(**documented_rights(delivery.env["AJO_QUEUE_PREFIX"]))
    before = {exchange["name"] for exchange in node.api("GET", "exchanges/%2F")}
    _, found = diagnose(delivery.env)
    assert {"broker permissions", "celery permissions", "broker confirms", "consumer time-out"} <= statuses(found, "ok")
    assert {exchange["name"] for exchange in node.api("GET", "exchanges/%2F")} == before  # the doctor makes none
    worker = processes.start("worker", [PROGRAM, "worker"], env=delivery.env)  # with its default name
    worker.wait_for_output("ready", timeout=DEADLINE_SECONDS)
    published = delivery.publish(3, batch_size=1)
    wait_until(
        lambda: finished(delivery.env["AJO_DATABASE_URL"]) == len(published), what="all three are sent", timeout=60
    )
    _, found = diagnose(delivery.env)
    assert {"celery permissions", "workers"} <= statuses(found, "ok")
