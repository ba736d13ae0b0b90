"""What is made of files is made anew when one of them has changed, and stays where it can't be."""

import os
from pathlib import Path

import pytest
from ajo_producers.contract import reading
from ajo_worker.renewal import Renewed
from ajo_worker.settings import read_settings, renewed
from ajo_worker.settings.source import RENEWAL_PATIENCE
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


def test_what_could_not_be_read_for_a_moment_is_taken_up_without_another_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where no more files may be opened just when a secret is rotated."""
    file, faults = tmp_path / "secret", [OSError(24, "Too many open files")] * 2
    monkeypatch.setattr("ajo_producers.entrance.renewal.AGAIN_SECONDS", 0.0)

    def make() -> str:
        if file.read_text() == "new" and faults:
            raise faults.pop()
        return file.read_text()

    file.write_text("old")
    secret = Renewed("a secret", [file], make)
    with capture_logs() as logged:
        file.write_text("new")
        assert [secret.now() for _ in range(4)] == ["old", "old", "new", "new"]
    assert [one["event"] for one in logged] == ["change-not-taken-up", "change-taken-up"]


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


def test_a_pipe_in_a_secrets_place_that_nobody_writes_into_holds_a_worker_up_for_a_moment_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, patiences = tmp_path / "secret", list[float]()
    file.write_text("first")
    monkeypatch.delenv("AJO_CLIENT_SECRET", raising=False)
    monkeypatch.setenv("AJO_CLIENT_SECRET_FILE", str(file))
    secret = renewed(read_settings(), "client_secret")

    def has_come(_: object, patience: float) -> bool:
        patiences.append(patience)
        return False

    monkeypatch.setattr(reading, "_has_come", has_come)
    file.unlink()
    os.mkfifo(file)
    assert secret.now() == "first"
    assert patiences == [RENEWAL_PATIENCE]


@pytest.mark.parametrize(
    "bad", ["postgresql://ajo:new/secret@db.example.com/ajo", "postgresql://ajo:n#w@db.example.com/ajo",
            "postgresql://ajo:new?@db.example.com/ajo", "postgresql://ajo:new@db.example.com:port/ajo",
            "postgresql://ajo:n[w@db.example.com/ajo", "new", "mysql://a:new@b/c"]
)  # fmt: skip
def test_an_address_of_the_database_that_can_not_be_read_leaves_the_old_one_in_force(
    bad: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = ["postgresql://ajo:old@db.example.com/ajo", "postgresql://ajo:n%2Fw@a.example.com:5433,b.example.com/ajo"]
    file = tmp_path / "address"
    file.write_text(good[0])
    monkeypatch.delenv("AJO_DATABASE_URL", raising=False)
    monkeypatch.setenv("AJO_DATABASE_URL_FILE", str(file))
    address = renewed(read_settings(), "database_url")
    with capture_logs() as logged:
        found = []
        for text in (bad, good[1], "postgresql:///ajo?host=/run/postgresql"):
            file.write_text(text)
            found.append(address.now())
    assert found == [good[0], good[1], "postgresql:///ajo?host=/run/postgresql"]
    assert "percent-encoded" in logged[0]["reason"]
    assert not any("new" in str(one) or "n#w" in str(one) for one in logged)
