"""What tests start as forks behaves as the program that users start, and each command finds its imports by itself."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from ajo_local.child import LocalStackError
from ajo_local.processes import environment

from tests.support.programs import PLAIN, PROGRAM, Finished, WarmProcesses, run
from tests.support.waiting import DEADLINE_SECONDS
from tests.support.warm.client import STARTER, Fork

# As the program does: first what every command needs, then the one command; each in a fork that has no other's imports.
EACH_ALONE = """
import os
from importlib.metadata import entry_points
import ajo_producers.cli.main

failed = []
for command in entry_points(group="ajo_dispatch.commands"):
    if not (pid := os.fork()):
        command.load()
        os._exit(0)
    if os.waitpid(pid, 0)[1]:
        failed.append(command.name)
raise SystemExit(f"not by themselves: {failed}" if failed else 0)
"""


def as_users_do(*arguments: str, env: dict[str, str], text: str | None, folder: Path) -> Finished:
    """Run the program itself."""
    done = subprocess.run(
        [PROGRAM, *arguments],
        env={**environment(), **PLAIN, **env},
        input=text,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    ("arguments", "env", "text"),
    [
        (("--version",), {}, None),
        (("settings",), {"AJO_PREFETCH": "many", "AJO_LANE": "fast"}, None),
        (("campaigns", "import", "-", "--name", "of-a-person"), {}, "curl 'https://example.com/é' -d '{'"),
        (("campaigns", "list", "--dir", "nowhere"), {}, None),
        (("no-such-command",), {}, None),
    ],
)
def test_a_fork_ends_and_prints_as_the_program_does(
    arguments: tuple[str, ...], env: dict[str, str], text: str | None, tmp_path: Path
) -> None:
    forked = run(*arguments, env=env, input=text, cwd=tmp_path)
    assert forked == as_users_do(*arguments, env=env, text=text, folder=tmp_path)


def test_no_setting_and_no_folder_of_one_command_reaches_the_next(tmp_path: Path) -> None:
    assert "AJO_PREFETCH: should" in run("settings", env={"AJO_PREFETCH": "many"}, cwd=tmp_path).err
    after = run("settings", env={})
    assert (after.code, after.err) == (0, "")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, 0)])
def test_a_fork_is_signalled_and_waited_for_as_a_process_of_its_own(number: signal.Signals, code: int) -> None:
    with WarmProcesses() as processes:
        child = processes.start("simulator", [PROGRAM, "simulate", "--port", "0"])
        assert isinstance(child.popen, Fork)
        child.wait_for_output("listening on", timeout=DEADLINE_SECONDS)
        child.popen.send_signal(number)
        assert child.popen.wait(DEADLINE_SECONDS) == code
        with pytest.raises(LocalStackError, match="simulator"):
            child.check()


def test_what_only_a_fresh_interpreter_obeys_gets_one() -> None:
    usual = environment() | PLAIN
    assert STARTER.serves(usual)
    assert not STARTER.serves(usual | {"LD_PRELOAD": "/somewhere/wall_clock.so"})
    assert not STARTER.serves(usual | {"PYTHONHASHSEED": "7"})


def test_each_command_finds_its_imports_by_itself() -> None:
    done = subprocess.run([sys.executable, "-c", EACH_ALONE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
