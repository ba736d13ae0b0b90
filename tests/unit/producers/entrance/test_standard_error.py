"""Whatever standard error is, a line is written or dropped at once, and what is dropped is counted."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from ajo_producers.entrance import standard_error
from ajo_producers.entrance.standard_error import write_line


@pytest.fixture(autouse=True)
def nothing_dropped_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standard_error, "_dropped", 0)


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The end of a pipe whose other end is standard error."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream:
        monkeypatch.setattr(standard_error, "sys", SimpleNamespace(stderr=stream))  # pytest sets its own once more
        yield reading
    os.close(reading)


def test_lines_come_as_they_are(reader: int) -> None:
    write_line("one – ½")
    write_line("x" * 10_000)
    assert os.read(reader, 65_536).decode() == "one – ½\n" + "x" * 10_000 + "\n"


def test_a_pipe_that_nobody_reads_holds_nobody_up_and_what_was_dropped_is_told(reader: int) -> None:
    for _ in range(1000):
        write_line("x" * 1000)
    dropped = standard_error._dropped
    assert dropped > 900
    os.read(reader, 1_000_000)
    write_line("again")
    assert os.read(reader, 65_536).decode().endswith(f"({dropped:,} lines were dropped before this one) again\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_reader_that_has_gone_a_full_disk_and_none_at_all_are_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as gone, Path("/dev/full").open("w") as full:
        for stream in (gone, full, None):
            monkeypatch.setattr(sys, "stderr", stream)
            write_line("lost")
    assert standard_error._dropped == 2


def test_one_in_memory_has_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    write_line("kept")
    assert capsys.readouterr().err == "kept\n"
