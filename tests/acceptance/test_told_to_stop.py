"""Programs that serve or relay end in good order at each signal that tells a program to stop."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from ajo_local.processes import Processes

from tests.support.intakes import TOKEN, write_mappings
from tests.support.programs import PROGRAM
from tests.support.waiting import DEADLINE_SECONDS

NOBODY = "postgresql://127.0.0.1:1/none"
PROGRAMS = {
    "feedback": ["feedback", "serve", "--port", "0"],
    "events": ["events", "serve", "--port", "0"],
    "relay": ["outbox", "relay"],
    "metrics": ["metrics", "--port", "0"],
}
NUMBERS = [
    int(signal.SIGTERM),
    *([int(signal.SIGHUP), int(signal.SIGPWR), signal.SIGRTMIN + 3] if hasattr(signal, "SIGPWR") else []),
]


def environment(folder: Path) -> dict[str, str]:
    """What all of them need to begin; nothing of it is there."""
    return {
        **write_mappings(folder),
        "AJO_BROKER_URL": "amqp://127.0.0.1:1//",
        "AJO_DATABASE_URL": NOBODY,
        "AJO_OUTBOX_URL": NOBODY,
        "AJO_EVENTS_TOKENS": TOKEN,
        "AJO_FEEDBACK_SECRET": TOKEN,
        "AJO_HASH_KEY": "test-hash-key",
    }


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("program", PROGRAMS)
def test_each_ends_with_0_and_without_a_traceback(
    program: str, number: int, processes: Processes, tmp_path: Path
) -> None:
    child = processes.start(program, [PROGRAM, *PROGRAMS[program]], env=environment(tmp_path), cwd=tmp_path)
    child.wait_for_output("listening on|relaying ", timeout=DEADLINE_SECONDS)
    child.popen.send_signal(number)
    assert child.popen.wait(DEADLINE_SECONDS) == 0
    assert "Traceback" not in child.output()


@pytest.mark.parametrize("program", PROGRAMS)
def test_under_nohup_a_terminal_that_is_closed_ends_none(program: str, processes: Processes, tmp_path: Path) -> None:
    nohup = "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    command = [sys.executable, "-c", nohup, PROGRAM, *PROGRAMS[program]]
    child = processes.start(program, command, env=environment(tmp_path), cwd=tmp_path)
    child.wait_for_output("listening on|relaying ", timeout=DEADLINE_SECONDS)
    child.popen.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        child.popen.wait(0.5)
    child.popen.send_signal(signal.SIGTERM)
    assert child.popen.wait(DEADLINE_SECONDS) == 0
