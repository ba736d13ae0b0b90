"""Ctrl-C before a command has begun: 130, and no word."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.waiting import DEADLINE_SECONDS

INTERRUPTED = """
import os, signal, sys
class Interrupting:
    def find_spec(self, name, *_):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
            raise SystemExit("Ctrl-C was swallowed")
sys.meta_path.insert(0, Interrupting())
sys.argv = ["ajo-dispatch", "campaigns", "list"]
from ajo_producers.cli.start import start
sys.exit(start())
"""
RUN = "import sys; from ajo_producers.cli.start import start; sys.exit(start())"


@pytest.mark.parametrize("module", ["ajo_producers.cli.main", "ajo_producers.cli.campaigns"])
def test_ctrl_c_while_a_command_is_imported_ends_it_without_a_word(module: str) -> None:
    command = [sys.executable, "-c", INTERRUPTED.format(module=module)]
    done = subprocess.run(command, capture_output=True, timeout=DEADLINE_SECONDS, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


def test_a_command_that_runs_hears_ctrl_c_as_before(tmp_path: Path) -> None:
    pipe = tmp_path / "events"
    os.mkfifo(pipe)
    command = [sys.executable, "-c", RUN, "campaigns", "import", str(pipe)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        with pipe.open("wb"):  # it reads
            process.send_signal(signal.SIGINT)
            assert process.wait(DEADLINE_SECONDS) == 130
        assert process.communicate() == (b"", b"")
