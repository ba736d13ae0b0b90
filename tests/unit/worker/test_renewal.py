"""What is made of files is made anew when one of them has changed, and stays where it can't be."""

from pathlib import Path

import pytest
from ajo_worker.renewal import Renewed
from ajo_worker.settings import read_settings, renewed
from structlog.testing import capture_logs


def test_it_is_made_once_for_each_change_and_kept_while_it_can_not_be_made(tmp_path: Path) -> None:
    file, made = tmp_path / "number", list[int]()

    def make() -> int:
        made.append(int(file.read_text()))
        return made[-1]

    file.write_text("1")
    number = Renewed("a number", [file], make)
    assert [number.now(), number.now(), made] == [1, 1, [1]]
    with capture_logs() as logged:
        file.write_text("twenty")
        assert [number.now(), number.now(), made] == [1, 1, [1]]
        file.unlink()
        assert number.now() == 1
        file.write_text("20")
        assert [number.now(), number.now(), made] == [20, 20, [1, 20]]
    assert [(one["event"], one["what"]) for one in logged] == [
        ("change-not-taken-up", "a number"),
        ("change-not-taken-up", "a number"),
        ("change-taken-up", "a number"),
    ]


def test_a_link_that_leads_to_another_file_is_a_change(tmp_path: Path) -> None:
    """So secrets are mounted by Kubernetes."""
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "secret").write_text(name)
    (tmp_path / "now").symlink_to("old")
    file = tmp_path / "now" / "secret"
    text = Renewed("a text", [file], file.read_text)
    (tmp_path / "next").symlink_to("new")
    (tmp_path / "next").rename(tmp_path / "now")
    assert text.now() == "new"


def test_a_secret_is_what_its_file_has_and_never_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secret"
    file.write_text("first\n")
    monkeypatch.delenv("AJO_CLIENT_SECRET", raising=False)
    monkeypatch.setenv("AJO_CLIENT_SECRET_FILE", str(file))
    secret = renewed(read_settings(), "client_secret")
    with capture_logs() as logged:
        found = [secret.now()]
        for text in ("second\n", "", "third\r\n"):
            file.write_text(text)
            found.append(secret.now())
    assert found == ["first", "second", "second", "third"]
    assert not any("secon" in str(one) or "third" in str(one) for one in logged)
