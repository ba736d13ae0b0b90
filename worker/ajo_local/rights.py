"""Whose rights a server gets, and what that account can reach. Only root has to ask, as which PostgreSQL won't run."""

import os
import pwd
import stat
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from ajo_local.child import LocalStackError

PLACES = ("/tmp", "/var/tmp", "/var/lib", "/opt")  # noqa: S108 - each use makes a folder of its own in it
"""Where temporary folders may lie if the usual place serves only its owner, or nothing may be executed there."""
EVERYBODYS_FOLDER = stat.S_IROTH | stat.S_IXOTH


def lesser_account() -> str | None:
    """The account that a server gets where this process is root's: ``nobody``, else the first that is not root's.

    Raises:
        LocalStackError: this machine has no other account than root's.
    """
    if os.geteuid() != 0:
        return None
    others = [entry.pw_name for entry in pwd.getpwall() if entry.pw_uid != 0]
    if not others:
        raise LocalStackError("PostgreSQL refuses to run as root, and this machine has no other account: add one")
    return "nobody" if "nobody" in others else others[0]


def reachable(folder: Path) -> bool:
    """Whether any account can enter a folder."""
    return all(place.stat().st_mode & stat.S_IXOTH for place in (folder, *folder.parents))


def readable(tree: Path) -> bool:
    """Whether any account can read all that lies in a folder; whether it reaches the folder is another question."""
    for folder, _, files in os.walk(tree):
        if os.stat(folder).st_mode & EVERYBODYS_FOLDER != EVERYBODYS_FOLDER:  # noqa: PTH116 - thousands of them
            return False
        if not all(os.stat(os.path.join(folder, name)).st_mode & stat.S_IROTH for name in files):  # noqa: PTH116, PTH118 - as above
            return False
    return True


def may_execute(folder: Path) -> bool:
    """Whether the file system of a folder lets programs run (``noexec`` forbids it)."""
    return not os.statvfs(folder).f_flag & getattr(os, "ST_NOEXEC", 0)


def shared_place(serves: Callable[[Path], bool], places: Iterable[str] | None = None) -> Path:
    """The first place for temporary folders that any account can enter and that serves.

    Args:
        serves: what else is asked of the place.
        places: where to look; by default ``TMPDIR`` and then the usual ones.

    Raises:
        LocalStackError: there is none.
    """
    for place in map(Path, places or (tempfile.gettempdir(), *PLACES)):
        if place.is_dir() and os.access(place, os.W_OK) and reachable(place.resolve()) and serves(place):
            return place
    raise LocalStackError(
        f"for root, PostgreSQL runs with another account's rights, which needs a folder that every account can enter "
        f"and where programs may run; neither {tempfile.gettempdir()} nor {', '.join(PLACES)} is one: set TMPDIR"
    )
