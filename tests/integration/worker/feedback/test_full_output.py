"""A receiver whose standard output is full takes feedback all the same."""

import os
import subprocess
from pathlib import Path

import httpx2
import pytest
from ajo_local.ports import free_port

from tests.support.programs import PROGRAM
from tests.support.waiting import DEADLINE_SECONDS, wait_until

FULL = Path("/dev/full")


def answers(url: str) -> bool:
    try:
        return httpx2.get(url, timeout=DEADLINE_SECONDS).status_code == 200
    except httpx2.ConnectError:
        return False


@pytest.mark.skipif(not FULL.exists(), reason="there is no device that is always full")
def test_it_listens_though_it_cannot_say_so(database_url: str) -> None:
    assert any(listens(database_url, free_port()) for _ in range(5))  # it can't tell of a port that it chose


def listens(database_url: str, port: int) -> bool:
    """Whether a receiver answers on this port; not if somebody else was given it meanwhile."""
    command = [PROGRAM, "feedback", "serve", "--insecure", "--port", str(port)]
    environment = {**os.environ, "AJO_DATABASE_URL": database_url}
    with (
        FULL.open("wb") as full,
        subprocess.Popen(command, stdout=full, stderr=subprocess.PIPE, text=True, env=environment) as running,
    ):
        try:
            url = f"http://127.0.0.1:{port}/healthz"
            wait_until(lambda: running.poll() is not None or answers(url), what="an answer")
        finally:
            running.terminate()
        _, told = running.communicate()
    assert running.returncode == 0 or "Address already in use" in told, told
    return running.returncode == 0
