"""Flower, with a real worker."""

import sys
from collections.abc import Callable

from ajo_local.ports import free_port
from ajo_local.processes import Processes

from tests.support.doctor import PASSWORD, Diagnose, statuses
from tests.support.programs import Worker
from tests.support.waiting import DEADLINE_SECONDS, wait_until


def test_flower_sees_the_worker_that_the_ledger_knows_and_keeps_its_password(
    env: dict[str, str], worker: Callable[..., Worker], processes: Processes, diagnose: Diagnose
) -> None:
    worker(env)
    port = free_port()
    command = [sys.executable, "-m", "celery", "-A", "ajo_worker.app", "flower", f"--basic-auth=ada:{PASSWORD}"]
    flower = processes.start("flower", [*command, "--address=127.0.0.1", f"--port={port}"], env=env)
    flower.wait_for_output("Visit me at", timeout=DEADLINE_SECONDS)
    url = f"http://ada:{PASSWORD}@127.0.0.1:{port}"

    def found() -> dict[str, str | None] | None:
        code, checks = diagnose(env, "--flower", url)
        assert (code, PASSWORD in repr(checks)) == (0, False)
        return checks["flower"] if checks["flower"]["status"] == "ok" else None

    assert str(wait_until(found, what="Flower sees the worker")["found"]).startswith("sees 1 worker: worker-")
    code, checks = diagnose(env, "--flower", f"http://127.0.0.1:{port}")
    assert (code, statuses(checks, "failed")) == (1, {"flower"})
    assert checks["flower"]["found"] == "it wants a login (status 401)"
    assert str(checks["workers"]["found"]).startswith("2 workers alive: ")


def test_a_flower_that_is_not_there_fails_alone(env: dict[str, str], closed: int, diagnose: Diagnose) -> None:
    code, checks = diagnose(env, "--flower", f"http://ada:{PASSWORD}@127.0.0.1:{closed}")
    assert (code, statuses(checks, "failed")) == (1, {"flower"})
    assert checks["flower"]["found"] == "no answer: ConnectError"
