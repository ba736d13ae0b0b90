"""``ajo-dispatch top``: one frame for programs, a live one in a terminal."""

import os
import pty
import select
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from ajo_local.processes import environment

from tests.support.database import query
from tests.support.ledger_rows import after, ago, put_attempt, put_trigger, put_worker
from tests.support.programs import PROGRAM, Finished
from tests.support.waiting import DEADLINE_SECONDS, wait_until

Cli = Callable[..., Finished]
Leave = Callable[[subprocess.Popen[bytes], int], None]


def put_late(url: str) -> None:
    """Three triggers of the last minutes that Adobe's API took 8 s for, rolled up."""
    put_worker(url, started_at=ago(hours=1))
    for _ in range(3):
        enqueued = ago(seconds=100)
        first, end = after(enqueued, 0.6), after(enqueued, 8.6)
        trigger = put_trigger(url, enqueued, state="accepted", first_dispatched_at=first, completed_at=end)
        put_attempt(url, trigger, 1, first, responded_at=end, to_headers_seconds=8.0, to_body_seconds=8.0)
    query(url, "select ledger.roll_up(minute) from (select distinct date_trunc('minute', received_at) as minute"
               " from ledger.triggers) as m")  # fmt: skip


def test_a_frame_names_the_guilty_and_the_slowest_phases(run_cli: Cli, database_url: str) -> None:
    put_late(database_url)
    put_trigger(database_url, ago(seconds=1))
    done = run_cli("top", "--once", env={"AJO_DATABASE_URL": database_url})
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert next(line.split() for line in lines if line.startswith("Adobe's API"))[-3:] == ["3", "24", "s"]
    assert any(line.startswith("headers ") for line in lines)
    figures = lines[next(number for number, line in enumerate(lines) if line.startswith("Received/s")) + 1].split()
    assert figures[0] == "0.1"
    assert figures[3] == "1", "sending"
    assert "No outage lasts." in lines


def test_where_no_terminal_reads_it_one_frame_is_all(run_cli: Cli, database_url: str) -> None:
    done = run_cli("top", env={"AJO_DATABASE_URL": database_url})
    assert (done.code, done.err) == (0, "")
    assert done.out.count("Received/s") == 1


def test_looking_too_often_is_wrong_usage(run_cli: Cli) -> None:
    assert run_cli("top", "--every", "0.1").code == 2


@contextmanager
def terminal(url: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The command in a terminal of its own, and the descriptor to type and to read at."""
    ours, theirs = pty.openpty()
    env = {**environment(), "AJO_DATABASE_URL": url, "TERM": "xterm", "COLUMNS": "150", "LINES": "40"}
    child = subprocess.Popen([PROGRAM, "top", "--every", "0.5"], stdin=theirs, stdout=theirs, stderr=theirs, env=env)
    os.close(theirs)
    try:
        yield child, ours
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()
        os.close(ours)


def read_until(descriptor: int, text: str) -> str:
    """All that is shown, up to a text."""
    shown = ""
    while text not in shown:
        readable, _, _ = select.select([descriptor], [], [], DEADLINE_SECONDS)
        assert readable, f"nothing more after {shown!r}"
        shown += os.read(descriptor, 65_536).decode(errors="replace")
    return shown


def press_q(child: subprocess.Popen[bytes], descriptor: int) -> None:
    os.write(descriptor, b"q")


def interrupt(child: subprocess.Popen[bytes], descriptor: int) -> None:
    child.send_signal(signal.SIGINT)  # what Ctrl-C does in a terminal that is the child's own


@pytest.mark.parametrize("leave", [press_q, interrupt])
def test_q_and_ctrl_c_leave_and_the_terminal_is_as_before(database_url: str, leave: Leave) -> None:
    with terminal(database_url) as (child, descriptor):
        read_until(descriptor, "Received/s")
        leave(child, descriptor)
        read_until(descriptor, "\x1b[?1049l")  # the screen of before is shown again
        wait_until(lambda: child.poll() is not None, what="the end of top")
        assert child.returncode == 0


def test_frame_follows_frame(database_url: str) -> None:
    with terminal(database_url) as (child, descriptor):
        read_until(descriptor, "Nobody is charged")
        put_late(database_url)
        read_until(descriptor, "Adobe's API")
        os.write(descriptor, b"q")
        wait_until(lambda: child.poll() is not None, what="the end of top")
