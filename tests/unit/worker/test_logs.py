"""Lines of the log are written by a thread of their own, which may stand still."""

import io
import logging
import os

import pytest
from ajo_worker import logs
from ajo_worker.logs import Aside


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bound that is soon reached."""
    monkeypatch.setattr(logs, "MOST_WAITING", 50)
    monkeypatch.setattr(logs, "FAREWELL_SECONDS", 0.1)


def line(number: int) -> logging.LogRecord:
    return logging.LogRecord("ajo_worker", logging.INFO, "", 0, f"line {number} " + "x" * 2_000, None, None)


def test_a_reader_that_stands_still_keeps_nobody_waiting_and_is_told_how_many_lines_it_missed() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream:
        aside = Aside(stream)
        for number in range(500):  # a pipe holds some thirty of them
            aside.emit(line(number))
        while not aside._dropped:  # its thread may have begun with the last of them
            aside.emit(line(499))
        read = b""
        while b"line 30 " not in read:
            read += os.read(reading, 65_536)
        while aside._lines.full():
            os.read(reading, 65_536)
        aside.emit(line(500))
        while b"line 500 " not in read:
            read += os.read(reading, 65_536)
        assert b"log-lines-dropped: " in read
        aside.close()
    os.close(reading)


def test_at_the_end_what_waits_is_written() -> None:
    stream = io.StringIO()
    aside = Aside(stream)
    for number in range(20):
        aside.emit(line(number))
    aside.close()
    assert [text.split()[1] for text in stream.getvalue().splitlines()] == [str(number) for number in range(20)]


def test_a_reader_that_stands_still_at_the_end_is_not_waited_for_long() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream:
        aside = Aside(stream)
        for number in range(500):
            aside.emit(line(number))
        aside.close()
    os.close(reading)


def test_a_line_for_which_there_is_no_memory_is_the_only_one_that_is_missing() -> None:
    class Luckless(io.StringIO):
        def write(self, line: str) -> int:
            if line == "unlucky\n":
                raise MemoryError
            return super().write(line)

    stream = Luckless()
    aside = Aside(stream)
    for text in ("before", "unlucky", "after"):
        aside.handle(logging.LogRecord("x", logging.INFO, "", 0, text, None, None))
    aside.close()
    assert stream.getvalue() == "before\nafter\n"
