"""Which account a server gets for root, and which folders serve it."""

import os
import pwd
from pathlib import Path
from types import SimpleNamespace

import pytest
from ajo_local.child import LocalStackError
from ajo_local.rights import lesser_account, readable, shared_place


def accounts(*names: str) -> list[SimpleNamespace]:
    """Entries of the list of accounts; ``toor`` is root's second name."""
    return [SimpleNamespace(pw_name=name, pw_uid=0 if name in {"root", "toor"} else 1) for name in names]


@pytest.mark.parametrize(
    ("names", "chosen"),
    [(("root", "daemon", "nobody"), "nobody"), (("root", "toor", "app"), "app"), (("root", "nobody"), "nobody")],
)
def test_for_root_another_account_is_chosen(
    names: tuple[str, ...], chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwall", lambda: accounts(*names))
    assert lesser_account() == chosen


def test_root_without_another_account_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwall", lambda: accounts("root"))
    with pytest.raises(LocalStackError, match="no other account"):
        lesser_account()


def test_any_other_user_keeps_the_own_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert lesser_account() is None


def test_the_first_place_that_everybody_can_enter_and_that_serves_is_taken(tmp_path: Path) -> None:
    private, public = tmp_path / "private", Path("/")
    private.mkdir(mode=0o700)
    assert shared_place(lambda _: True, [str(tmp_path / "absent"), str(private), "/tmp"]) == Path("/tmp")
    assert shared_place(lambda place: place != Path("/tmp"), ["/tmp", "/var/tmp"]) == Path("/var/tmp")
    with pytest.raises(LocalStackError, match="set TMPDIR"):
        shared_place(lambda place: place != public, [str(private)])


@pytest.mark.parametrize(
    ("folder", "file", "expected"), [(0o755, 0o644, True), (0o700, 0o644, False), (0o755, 0o600, False)]
)
def test_a_tree_is_readable_if_each_folder_and_each_file_is(
    folder: int, file: int, expected: bool, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    (tree / "inner").mkdir(parents=True)
    (tree / "inner" / "file").touch()
    (tree / "inner" / "file").chmod(file)
    (tree / "inner").chmod(folder)
    tree.chmod(0o755)
    assert readable(tree) is expected
