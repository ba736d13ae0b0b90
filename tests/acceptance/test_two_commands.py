"""The two commands of the README, in a clone that only its owner can enter, on the oldest and newest interpreter."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

import pytest
from ajo_local.processes import Processes

from tests.support.interpreters import interpreters
from tests.support.programs import PLAIN
from tests.support.scratch import on_disk
from tests.support.trust import as_before

ROOT = Path(__file__).parents[2]
NOT_CLONED = (".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", "dist", "build")
INHERITED = ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "VIRTUAL_ENV", "PYTHONPATH", "PYTEST_XDIST_WORKER")
"""What `make test` would tell the clone of itself."""
SECONDS = 1200
"""Most of it may pass in downloads: the clone installs all of its dependencies."""

OLDEST, NEWEST = 0, -1


def ordinary_account() -> str:
    """A person's account if there is one, else nobody's."""
    people = [entry.pw_name for entry in pwd.getpwall() if 1000 <= entry.pw_uid < 60000]  # as useradd numbers them
    return people[0] if people else "nobody"


def cache_of_uv(home: Path) -> Path:
    """A copy of uv's cache, for an account that can't use ours; what it lacks is downloaded."""
    usual = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "uv"
    cache = Path(os.environ.get("UV_CACHE_DIR", usual))
    copy = home / "cache"
    if cache.is_dir():
        shutil.copytree(cache, copy, symlinks=True, ignore=shutil.ignore_patterns(".lock", ".tmp*"))
    return copy


def in_home(processes: Processes, home: Path, account: str | None, python: Path, *words: str) -> str:
    """Run a command in the clone as its owner, who is as careful as the folder is; returns what it printed."""
    command = ["env", *(word for name in INHERITED for word in ("-u", name)), *as_before()]
    command += ["sh", "-c", 'umask 077; exec "$@"', "sh"]
    env = {**PLAIN, "HOME": str(home), "PYTHON": str(python)}
    if account is not None:
        env["UV_CACHE_DIR"] = str(home / "cache")
    child = processes.start(words[-1], [*command, *words], env=env, cwd=home / "a clone", account=account)
    try:
        code = child.popen.wait(SECONDS)
    except subprocess.TimeoutExpired:
        code = None
    assert code == 0, f"{' '.join(words)} with {python}, {child.ending()}:\n{child.output()}"
    return child.output()


def cases() -> list[tuple[str | None, int]]:
    """Who has the clone, and whether on the oldest or the newest interpreter; None is who runs the tests."""
    return [(None, NEWEST), (ordinary_account(), OLDEST)] if os.geteuid() == 0 else [(None, NEWEST), (None, OLDEST)]


@pytest.mark.parametrize(("account", "which"), cases(), ids=["own-newest", "other-oldest"])
def test_demo_and_smoke_tests_pass_in_a_folder_of_ones_own(
    account: str | None, which: int, processes: Processes
) -> None:
    python = interpreters(account)[which]
    home = processes.folder(within=on_disk())
    shutil.copytree(ROOT, home / "a clone", ignore=shutil.ignore_patterns(*NOT_CLONED))
    if account is not None:
        cache_of_uv(home)
        subprocess.run(["chown", "-R", account, home], check=True)
    home.chmod(0o700)
    printed = in_home(processes, home, account, python, "make", "TRIGGERS=200", "demo")
    assert "journal tell the same story, id by id" in printed
    assert "Everything is stopped" in printed
    assert "10 passed" in in_home(processes, home, account, python, "make", "smoke")
