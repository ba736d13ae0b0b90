"""A worker's life from outside: two of them on one host, told to stop in every phase, unable to start."""

import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from ajo_local.child import Child
from ajo_local.ports import free_port
from ajo_local.postgres import Postgres
from ajo_local.processes import Processes

from tests.support.brokers import delete_queues
from tests.support.database import query
from tests.support.delivery import Delivery
from tests.support.doctor import declare
from tests.support.programs import PROGRAM
from tests.support.proxy import Proxy
from tests.support.waiting import DEADLINE_SECONDS, wait_until

CALM = "[latency]\nseconds = 0.02\n"
HANGING = '[[fault]]\nkind = "hang"\n'
NOBODY = "postgresql://127.0.0.1:1/none"
ENDS = [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT]
DONE = "select from ledger.triggers where state = 'accepted'"
LIVING = "select count(*) from ledger.workers where stopped_at is null"
SOON = 50
"""Seconds in which a process ends that should within five, on a busy machine; what it must not wait for takes 60 s."""


def start(processes: Processes, env: dict[str, str], *arguments: str) -> Child:
    """A worker with its default name; nobody waits for it."""
    return processes.start("worker", [PROGRAM, "worker", *arguments], env=env, grace=SOON)


def ended(child: Child) -> int:
    """Its exit code, which comes soon."""
    return child.popen.wait(timeout=SOON)


def test_workers_with_the_default_name_live_beside_each_other_on_one_host(
    prepare_delivery: Callable[..., Delivery], broker_url: str, processes: Processes
) -> None:
    delivery = prepare_delivery(broker_url, CALM)
    workers = [start(processes, delivery.env) for _ in range(3)]
    url = delivery.env["AJO_DATABASE_URL"]
    wait_until(lambda: query(url, LIVING)[0]["count"] == 3, what="three living workers")
    for child in workers:
        child.wait_for_output(r"ajo-dispatch-[0-9a-f]{8}@\S+ ready", timeout=DEADLINE_SECONDS)
    assert [child.popen.poll() for child in workers] == [None] * 3
    names = {child.wait_for_output(r"(ajo-dispatch-[0-9a-f]{8})@", timeout=DEADLINE_SECONDS)[1] for child in workers}
    ids = {row["worker_id"].hex[-8:] for row in query(url, "select worker_id from ledger.workers")}
    assert names == {f"ajo-dispatch-{end}" for end in ids}


CARELESS = """
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGCHLD})
for stream in range(3):
    os.close(stream)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Starts a program with its signals blocked, and without standard streams."""


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="there are no masks of signals here")
@pytest.mark.parametrize("several", [(), ("--processes", "2")])
def test_a_worker_that_was_started_carelessly_ends_in_good_order_when_told(
    several: tuple[str, ...], prepare_delivery: Callable[..., Delivery], valkey_url: str, processes: Processes
) -> None:
    delivery = prepare_delivery(valkey_url, CALM)
    command = [sys.executable, "-c", CARELESS, PROGRAM, "worker", *several]
    child = processes.start("worker", command, env=delivery.env, grace=SOON)
    wait_until(lambda: query(delivery.env["AJO_DATABASE_URL"], LIVING)[0]["count"] > 0, what="a living worker")
    child.popen.send_signal(signal.SIGTERM)
    assert ended(child) == 0


def test_warnings_that_the_environment_makes_errors_end_no_worker(
    prepare_delivery: Callable[..., Delivery], valkey_url: str, processes: Processes
) -> None:
    """Celery warns of being root, libraries of what is deprecated: that is shown, and no more."""
    delivery = prepare_delivery(valkey_url, CALM, PYTHONWARNINGS="error")
    child = processes.start("worker", [sys.executable, PROGRAM, "worker"], env=delivery.env, grace=SOON)
    child.wait_for_output(" ready", timeout=DEADLINE_SECONDS)
    child.popen.send_signal(signal.SIGTERM)
    assert ended(child) == 0


def test_a_broker_that_answers_nothing_any_more_holds_up_no_end(
    prepare_delivery: Callable[..., Delivery], broker_url: str, processes: Processes
) -> None:
    """Ten seconds for each answer that is missing at the end were a minute and a half."""
    with Proxy(broker_url) as line:
        delivery = prepare_delivery(line.url, CALM)
        child = start(processes, delivery.env)
        child.wait_for_output(" ready", timeout=DEADLINE_SECONDS)
        line.freeze()
        child.popen.send_signal(signal.SIGTERM)
        assert ended(child) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="another process's limits are Linux's to set")
def test_files_that_are_used_up_while_the_broker_is_away_end_no_worker(
    prepare_delivery: Callable[..., Delivery], broker_url: str
) -> None:
    """Celery ends a worker at that, and cuts off what is in flight."""
    with Proxy(broker_url) as line:
        delivery = prepare_delivery(line.url, CALM)
        child = delivery.start(delivery.env).child
        child.wait_for_output(" ready", timeout=DEADLINE_SECONDS)
        before = resource.prlimit(child.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(child.pid, resource.RLIMIT_NOFILE, (8, before[1]))
        line.cut()
        child.wait_for_output("FilesUsedUp|Too many open files", timeout=DEADLINE_SECONDS)
        resource.prlimit(child.pid, resource.RLIMIT_NOFILE, before)
        child.wait_for_output("broker-back", timeout=DEADLINE_SECONDS)
        ids = delivery.publish(3)
        wait_until(lambda: len(query(delivery.env["AJO_DATABASE_URL"], DONE)) == len(ids), what="all are accepted")


@pytest.mark.parametrize("number", ENDS)
def test_a_worker_that_waits_for_its_ledger_ends_when_told(
    number: signal.Signals, prepare_delivery: Callable[..., Delivery], valkey_url: str, processes: Processes
) -> None:
    delivery = prepare_delivery(valkey_url, CALM, AJO_DATABASE_URL=NOBODY)
    child = start(processes, delivery.env)
    child.wait_for_output("heartbeat-failed", timeout=DEADLINE_SECONDS)
    child.popen.send_signal(number)
    assert ended(child) == (1 if number == signal.SIGQUIT else 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_waits_for_its_broker_ends_when_told(
    number: signal.Signals, prepare_delivery: Callable[..., Delivery], valkey_url: str, processes: Processes
) -> None:
    delivery = prepare_delivery(valkey_url, CALM, AJO_BROKER_URL=f"amqp://127.0.0.1:{free_port()}//")
    child = start(processes, delivery.env)
    child.wait_for_output("broker-fault", timeout=DEADLINE_SECONDS)
    child.popen.send_signal(number)
    assert ended(child) == 0


def test_a_worker_without_its_tables_says_what_to_do_and_ends_when_told(
    prepare_delivery: Callable[..., Delivery], valkey_url: str, postgres_url: str, processes: Processes
) -> None:
    delivery = prepare_delivery(valkey_url, CALM, AJO_DATABASE_URL=postgres_url)
    child = start(processes, delivery.env)
    child.wait_for_output("run 'ajo-dispatch db upgrade'", timeout=DEADLINE_SECONDS)
    child.popen.send_signal(signal.SIGTERM)
    assert ended(child) == 0


def test_a_worker_that_could_not_record_what_it_had_sent_ends_with_1(
    prepare_delivery: Callable[..., Delivery], valkey_url: str, own_postgres: Postgres
) -> None:
    url = own_postgres.url
    delivery = prepare_delivery(valkey_url, "[latency]\nseconds = 3\n", AJO_DATABASE_URL=url, AJO_BUDGET_SECONDS="5")
    child = delivery.start(delivery.env).child
    delivery.publish(1)
    wait_until(lambda: query(url, "select from ledger.triggers where attempts_started > 0"), what="its call")
    own_postgres.stop()
    child.popen.send_signal(signal.SIGTERM)
    assert child.popen.wait(timeout=DEADLINE_SECONDS) == 1
    assert "Traceback" not in child.output()


@pytest.mark.parametrize("second", ENDS)
def test_a_second_signal_ends_a_worker_whose_calls_hang(
    second: signal.Signals, prepare_delivery: Callable[..., Delivery], broker_url: str, processes: Processes
) -> None:
    delivery = prepare_delivery(broker_url, HANGING)
    child = delivery.start(delivery.env).child
    delivery.publish(3)
    wait_until(lambda: len(delivery.api.journal.read_text().splitlines()) >= 3, what="three hanging calls")
    child.popen.send_signal(signal.SIGTERM)
    child.wait_for_output("worker-stopping", timeout=DEADLINE_SECONDS)
    child.popen.send_signal(second)
    assert ended(child) == 1


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"AJO_CAMPAIGNS": "/nowhere"}, 1, "no such folder of campaign definitions"),
        ({"AJO_BASE_URL": "", "AJO_ALLOWED_HOSTS": "example.com"}, 1, "is not allowed"),
        ({"AJO_CA_FILE": "/nowhere.pem"}, 1, "/nowhere.pem"),
        ({"AJO_CLIENT_SECRET": ""}, 2, "set AJO_CLIENT_SECRET (or AJO_CLIENT_SECRET_FILE)"),
        ({"AJO_PREFETCH": "0"}, 2, "AJO_PREFETCH: should be greater than 0"),
    ],
)
def test_what_can_not_start_ends_with_a_code_and_a_line_without_traceback(
    change: dict[str, str],
    code: int,
    said: str,
    prepare_delivery: Callable[..., Delivery],
    valkey_url: str,
    processes: Processes,
) -> None:
    delivery = prepare_delivery(valkey_url, CALM, **change)
    child = start(processes, delivery.env)
    assert ended(child) == code
    output = child.output()
    assert said in output
    assert "Traceback" not in output


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="PID namespaces take Linux, and root")
@pytest.mark.parametrize("moment", ["import 'typer'", "import 'kombu'", "broker-fault"])
def test_as_the_first_process_of_a_container_it_ends_when_told_in_whatever_moment(
    moment: str, prepare_delivery: Callable[..., Delivery], valkey_url: str, processes: Processes
) -> None:
    """Python's own word on each import tells how far it is."""
    delivery = prepare_delivery(valkey_url, CALM, AJO_BROKER_URL=f"amqp://127.0.0.1:{free_port()}//")
    if subprocess.run(["unshare", "--pid", "--fork", "true"], check=False).returncode:
        pytest.skip("this machine allows no PID namespaces")
    command = ["unshare", "--pid", "--fork", sys.executable, "-v", str(PROGRAM), "worker"]
    child = processes.start("worker", command, env=delivery.env, grace=SOON)
    child.wait_for_output(moment, timeout=DEADLINE_SECONDS)
    (first,) = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
    os.kill(int(first), signal.SIGTERM)
    assert ended(child) in (0, 128 + signal.SIGTERM)


def test_a_name_that_nobody_answers_for_holds_up_no_end(
    prepare_delivery: Callable[..., Delivery], valkey_url: str, processes: Processes, tmp_path: Path
) -> None:
    """The resolver waits for 5 s and more, in a thread that nothing can stop."""
    if os.geteuid() or subprocess.run(["unshare", "--mount", "true"], check=False).returncode:
        pytest.skip("mount namespaces take root")
    resolver = tmp_path / "resolv.conf"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind((f"127.0.53.{os.getpid() % 250 + 1}", 53))
        resolver.write_text(f"nameserver {nobody.getsockname()[0]}\noptions timeout:30 attempts:5\n")
        delivery = prepare_delivery(valkey_url, CALM, AJO_DATABASE_URL="postgresql://database.example.com/ajo")
        script = 'mount --bind "$0" /etc/resolv.conf && exec "$1" worker'
        child = processes.start(
            "worker", ["unshare", "--mount", "sh", "-c", script, str(resolver), str(PROGRAM)], env=delivery.env
        )
        nobody.recv(512)
        child.popen.send_signal(signal.SIGTERM)
        assert ended(child) == 0


def test_a_queue_of_another_kind_ends_no_worker_which_says_so_once_and_goes_on_when_it_is_gone(
    prepare_delivery: Callable[..., Delivery], rabbitmq_url: str, queue_prefix: str, processes: Processes
) -> None:
    delivery = prepare_delivery(rabbitmq_url, CALM)
    declare(rabbitmq_url, queue_prefix, {})  # classic, where quorum queues are meant
    child = start(processes, delivery.env)
    child.wait_for_output("PRECONDITION_FAILED", timeout=DEADLINE_SECONDS)
    delete_queues(rabbitmq_url, queue_prefix)
    child.wait_for_output(" ready", timeout=DEADLINE_SECONDS)
    assert child.running
    assert child.output().count("PRECONDITION_FAILED") == 1
    delivery.publish(1)
    wait_until(lambda: query(delivery.env["AJO_DATABASE_URL"], DONE), what="it was sent")
