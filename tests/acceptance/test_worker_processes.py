"""``worker --processes``: a parent keeps its workers running, and ends with them as one."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from ajo_local.child import Child
from ajo_local.processes import Processes

from tests.support.conservation import accepted, finished, ledger
from tests.support.database import query
from tests.support.delivery import Delivery
from tests.support.programs import PROGRAM
from tests.support.waiting import DEADLINE_SECONDS, wait_until

CALM = "[latency]\nseconds = 0.02\n"
HANGING = '[[fault]]\nkind = "hang"\n'
ALIVE = "select pid from ledger.workers where stopped_at is null and heartbeat_at > now() - interval '5 s' order by pid"
BOTH_READY = r"ready.*\n(.*\n)*.*ready"
SOON = 50


def start(processes: Processes, env: dict[str, str], *arguments: str, program: tuple[str, ...] = ()) -> Child:
    """A parent of two workers."""
    command = [*program, str(PROGRAM), "worker", "--processes", "2", *arguments]
    return processes.start("worker", command, env=env, grace=SOON)


def children(pid: int) -> set[int]:
    """The processes that a process has, ended ones that nobody has reaped among them."""
    return {int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def two_workers(parent: Child, env: dict[str, str], *but: int) -> set[int]:
    """Their process ids, once the ledger knows both and none of them is one of ``but``."""

    def alive() -> set[int] | None:
        parent.check()
        pids = {row["pid"] for row in query(env["AJO_DATABASE_URL"], ALIVE)}
        return pids if len(pids) == 2 and not pids & set(but) else None

    return wait_until(alive, what="two living workers") or set()


def test_a_killed_worker_is_started_again_and_sigterm_ends_all_in_good_order(
    prepare_delivery: Callable[..., Delivery], valkey_url: str, processes: Processes
) -> None:
    delivery = prepare_delivery(valkey_url, CALM)
    url = delivery.env["AJO_DATABASE_URL"]
    parent = start(processes, delivery.env, "--name", "shop@%h")
    before = two_workers(parent, delivery.env)
    assert before == children(parent.pid)
    killed = min(before)
    os.kill(killed, signal.SIGKILL)
    after = two_workers(parent, delivery.env, killed)
    assert after == children(parent.pid)
    assert after & before == before - {killed}
    published = delivery.publish(200, batch_size=5)
    wait_until(lambda: finished(url) == len(published), what="all triggers have ended")
    parent.popen.send_signal(signal.SIGTERM)
    assert parent.popen.wait(SOON) == 0
    assert accepted(delivery.api.journal) == Counter(dict.fromkeys(published, 1))
    assert {row["state"] for row in ledger(url).values()} == {"accepted"}
    names = set(re.findall(r"(shop-\d)@\S+ ready", parent.output()))
    assert names == {"shop-1", "shop-2"}


REFUSING = """
import errno, os, runpy, sys
fork, refused = os.fork, os.environ["REFUSED"]

def perhaps():
    if os.path.exists(refused):
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    return fork()

os.fork = perhaps
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""Runs a program that may not fork as long as a file is there, as where no more processes are allowed."""


def test_a_worker_that_can_not_be_forked_now_is_started_later_and_the_others_work_on(
    prepare_delivery: Callable[..., Delivery], valkey_url: str, processes: Processes, tmp_path: Path
) -> None:
    refused = tmp_path / "refused"
    delivery = prepare_delivery(valkey_url, CALM, REFUSED=str(refused))
    parent = start(processes, delivery.env, program=(sys.executable, "-c", REFUSING))
    killed, other = two_workers(parent, delivery.env)
    refused.touch()
    os.kill(killed, signal.SIGKILL)
    line = parent.wait_for_output(".*worker-not-started.*", timeout=DEADLINE_SECONDS)[0]
    assert "Resource temporarily unavailable" in line
    assert children(parent.pid) == {other}
    published = delivery.publish(20)
    wait_until(lambda: finished(delivery.env["AJO_DATABASE_URL"]) == len(published), what="all triggers have ended")
    refused.unlink()
    assert other in two_workers(parent, delivery.env, killed)
    parent.popen.send_signal(signal.SIGTERM)
    assert parent.popen.wait(SOON) == 0
    assert "Traceback" not in parent.output()


def test_workers_that_can_not_start_are_tried_ever_more_slowly_and_then_given_up(
    prepare_delivery: Callable[..., Delivery], valkey_url: str, processes: Processes
) -> None:
    delivery = prepare_delivery(valkey_url, CALM, AJO_CAMPAIGNS="/nowhere")
    parent = start(processes, delivery.env)
    assert parent.popen.wait(DEADLINE_SECONDS) == 1
    output = parent.output()
    assert "no such folder of campaign definitions" in output
    assert "Traceback" not in output
    pauses = [float(found) for found in re.findall(r'again_in_seconds"?[=:] ?([\d.]+)', output)]
    assert sorted(set(pauses)) == [0.5, 1.0, 2.0, 4.0]


def test_wrong_settings_are_wrong_usage_before_any_worker_starts(
    prepare_delivery: Callable[..., Delivery], valkey_url: str, processes: Processes
) -> None:
    delivery = prepare_delivery(valkey_url, CALM, AJO_PREFETCH="0")
    parent = start(processes, delivery.env)
    assert parent.popen.wait(SOON) == 2
    assert "AJO_PREFETCH: should be greater than 0" in parent.output()
    assert "worker-started" not in parent.output()


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_second_signal_cuts_all_workers_off(
    second: signal.Signals, prepare_delivery: Callable[..., Delivery], valkey_url: str, processes: Processes
) -> None:
    delivery = prepare_delivery(valkey_url, HANGING)
    parent = start(processes, delivery.env)
    workers = two_workers(parent, delivery.env)
    delivery.publish(20, batch_size=1)
    wait_until(lambda: len(delivery.api.journal.read_text().splitlines()) >= 20, what="hanging calls")
    parent.popen.send_signal(signal.SIGTERM)
    for worker in workers:  # as a supervisor does that signals every process of a service
        os.kill(worker, signal.SIGTERM)
    parent.wait_for_output("worker-stopping", timeout=DEADLINE_SECONDS)
    assert children(parent.pid), "a polite signal twice is still polite"
    parent.popen.send_signal(second)
    assert parent.popen.wait(SOON) == 1


def test_a_frozen_worker_keeps_its_parent_from_ending_only_until_a_second_signal(
    prepare_delivery: Callable[..., Delivery], valkey_url: str, processes: Processes
) -> None:
    delivery = prepare_delivery(valkey_url, CALM)
    parent = start(processes, delivery.env)
    frozen = min(two_workers(parent, delivery.env))
    parent.wait_for_output(BOTH_READY, timeout=DEADLINE_SECONDS)
    os.kill(frozen, signal.SIGSTOP)
    parent.popen.send_signal(signal.SIGTERM)
    wait_until(lambda: children(parent.pid) == {frozen}, what="the other one has ended")
    parent.popen.send_signal(signal.SIGTERM)
    try:
        assert parent.popen.wait(SOON) == 1
        wait_until(lambda: not _runs(frozen), what="the frozen one is gone as well")
    finally:
        if _runs(frozen):
            os.kill(frozen, signal.SIGKILL)
    assert "worker-killed" in parent.output()


def test_workers_whose_parent_was_killed_end_by_themselves(
    prepare_delivery: Callable[..., Delivery], valkey_url: str, processes: Processes
) -> None:
    delivery = prepare_delivery(valkey_url, CALM)
    parent = start(processes, delivery.env)
    workers = two_workers(parent, delivery.env)
    parent.wait_for_output(BOTH_READY, timeout=DEADLINE_SECONDS)
    os.kill(parent.pid, signal.SIGKILL)
    wait_until(lambda: not any(_runs(pid) for pid in workers), what="no worker is left")
    stopped = "select count(*) from ledger.workers where stopped_at is not null"
    assert query(delivery.env["AJO_DATABASE_URL"], stopped)[0]["count"] == 2


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="PID namespaces take Linux, and root")
def test_as_the_first_process_of_a_container_the_parent_reaps_what_others_leave(
    prepare_delivery: Callable[..., Delivery], valkey_url: str, processes: Processes
) -> None:
    if (
        shutil.which("nsenter") is None
        or subprocess.run(["unshare", "--pid", "--fork", "true"], check=False).returncode
    ):
        pytest.skip("this machine allows no PID namespaces")
    delivery = prepare_delivery(valkey_url, CALM)
    outer = start(processes, delivery.env, program=("unshare", "--pid", "--fork"))
    outer.wait_for_output(BOTH_READY, timeout=DEADLINE_SECONDS)
    (first,) = children(outer.pid)
    workers = children(first)
    assert len(workers) == 2
    orphan = "sleep 0.1 & exit"
    subprocess.run(["nsenter", "--target", str(first), "--pid", "sh", "-c", orphan], check=True)
    wait_until(lambda: children(first) == workers, what="only the workers are left, and no zombie")
    os.kill(first, signal.SIGTERM)
    assert outer.popen.wait(SOON) == 0
