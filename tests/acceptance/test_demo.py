"""``ajo-dispatch demo``, as a newcomer runs it."""

import re
import subprocess
import tempfile
from pathlib import Path

import psutil
import pytest
from ajo_local.processes import environment

from tests.support.programs import PLAIN, PROGRAM
from tests.support.waiting import DEADLINE_SECONDS, wait_until

ROWS_OF_ONE = 4
"""Lines that one row of a table has at most, where two systems are named."""


def leftovers(folder: Path) -> list[object]:
    """The processes that name a folder in their command line, and what is in it."""
    lines = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    return [line for line in lines if any(str(folder) in word for word in line)] + list(folder.iterdir())


@pytest.fixture
def own_temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for everything temporary, open to all: PostgreSQL doesn't run as root."""
    folder = Path(tempfile.mkdtemp(prefix="ajo-demo-"))
    folder.chmod(0o755)
    return folder


@pytest.mark.xdist_group("demo")
def test_the_demo_delivers_reports_and_leaves_nothing_behind(own_temporary_folder: Path) -> None:
    done = subprocess.run(
        [PROGRAM, "demo"],
        env={**environment(), **PLAIN, "TMPDIR": str(own_temporary_folder)},
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"accepted .* 1,\d\d\d ", done.stdout)
    assert re.search(r"all .* 2,000 ", done.stdout)
    assert "journal tell the same story, id by id" in done.stdout
    for fault in ("429: told to wait", "503: overloaded", "a slow answer"):
        # On a busy machine others are named beside it, and the cell is wrapped.
        rows = re.findall(rf"│ {fault} [^├└]*?Adobe's[\s│]+API", done.stdout)
        assert len(rows) == 1, done.stdout
        assert rows[0].count("\n") < ROWS_OF_ONE, f"Adobe's API is named for {fault}"
    assert "Everything is stopped" in done.stdout
    assert "@example.com" not in done.stdout + done.stderr
    assert leftovers(own_temporary_folder) == []
    own_temporary_folder.rmdir()


@pytest.mark.xdist_group("demo")
def test_a_demo_that_is_interrupted_leaves_nothing_behind_either(own_temporary_folder: Path) -> None:
    demo = subprocess.Popen(
        [PROGRAM, "demo"],
        env={**environment(), **PLAIN, "TMPDIR": str(own_temporary_folder)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert demo.stdout is not None
    for line in demo.stdout:
        if line.startswith("Sending"):
            break
    demo.terminate()
    demo.communicate()
    assert demo.returncode == 130
    wait_until(lambda: not leftovers(own_temporary_folder), what="nothing is left")
    own_temporary_folder.rmdir()
