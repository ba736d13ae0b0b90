"""The interpreters of this machine that a clone can be set up with."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from ajo_local.processes import as_account

MINORS = range(11, 30)
SERVES = (
    "import ensurepip, sys, venv; v = sys.version_info; print(*v[:3]) if v[3] == 'final' and v >= (3, 11) else exit(1)"
)
"""Prints the version of an interpreter that serves: new enough, released, and able to make virtual environments."""


def _candidates() -> Iterator[Path]:
    names = ["python3", "python", *(f"python3.{minor}" for minor in MINORS)]
    usual = os.pathsep.join((os.environ.get("PATH", ""), "/usr/local/bin", "/usr/bin", "/opt/homebrew/bin"))
    for folder in map(Path, usual.split(os.pathsep)):
        yield from (folder / name for name in names)
    homes = (os.environ.get("PYENV_ROOT", "~/.pyenv") + "/versions", "~/.local/share/uv/python", "/opt")
    for home in homes:
        yield from Path(home).expanduser().glob("*/bin/python3")
    yield Path(sys.base_prefix) / "bin" / "python3"


def interpreters(account: str | None) -> list[Path]:
    """Interpreters from 3.11 on that an account can run, the oldest first; None is this process's own account."""
    found: dict[tuple[int, ...], Path] = {}
    for candidate in _candidates():
        if shutil.which(candidate) is None:
            continue
        try:
            done = subprocess.run(
                [candidate, "-I", "-c", SERVES],
                cwd="/",
                capture_output=True,
                text=True,
                check=False,
                **as_account(account),
            )
        except OSError:  # out of reach for the account
            continue
        if done.returncode == 0:
            found.setdefault(tuple(map(int, done.stdout.split())), candidate)
    return [found[version] for version in sorted(found)]
