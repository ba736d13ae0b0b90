"""Events from a file or standard input: an event a line, one JSON array, or one event over several lines.

A line of a file of dead letters is read as the event that it holds, so that they are tried again by reading the file.
"""

import codecs
import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from ajo_producers.contract.json_text import texts_of
from ajo_producers.events.cloudevents import read_structured
from ajo_producers.events.event import BadEvent, Event, Fault

MAX_LINE_BYTES = 16_000_000
"""Of one line; no message to a worker may be longer."""
MAX_WHOLE_BYTES = 64_000_000
"""Of a file that is read as a whole, since it is an array or an event over several lines."""


class UnreadableLine(ValueError):  # noqa: N818 - named for what it is
    """What comes from ``line`` on can't be read; what stands before it was read."""

    def __init__(self, text: str, line: int) -> None:
        super().__init__(text)
        self.line = line


def read_lines(stream: BinaryIO) -> Iterator[tuple[int, Event | BadEvent]]:
    """The events of a stream with the lines on which they begin; a line that is no event is a bad one of its own.

    Raises:
        UnreadableLine: a line is too long; the stream is one array, or one event over several lines, that can't be read
            to its end; or what it comes from is at fault, such as a disk.
    """
    number = 0
    try:
        for number, one in _read_lines(stream):
            yield number, one
    except OSError as fault:
        raise UnreadableLine(f"it can't be read: {fault.strerror}", number + 1) from fault


def _read_lines(stream: BinaryIO) -> Iterator[tuple[int, Event | BadEvent]]:
    number = 0
    while line := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        text = line.removeprefix(codecs.BOM_UTF8).strip() if number == 1 else line.strip()
        if len(line) > MAX_LINE_BYTES:
            raise UnreadableLine(f"the line has more than {MAX_LINE_BYTES:,} bytes", number)
        if not text:
            continue
        if text.startswith(b"[") or not _is_whole(text):
            yield from _read_whole(text + b"\n" + stream.read(MAX_WHOLE_BYTES), number)
            return
        yield number, _read_line(text)
        break
    while line := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise UnreadableLine(f"the line has more than {MAX_LINE_BYTES:,} bytes", number)
        if line.strip():
            yield number, _read_line(line)


def _is_whole(text: bytes) -> bool:
    """Whether a first line is an event, or at least not the begin of one that goes on."""
    try:
        msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        return "truncated" not in str(error)
    except (UnicodeDecodeError, RecursionError):
        return True
    return True


def _read_line(text: bytes) -> Event | BadEvent:
    try:
        return _read_value(msgspec.json.decode(text))
    except msgspec.DecodeError as error:
        return BadEvent((Fault("", f"is no JSON: {error}"),), None, text)
    except (UnicodeDecodeError, RecursionError):
        return BadEvent((Fault("", "is no JSON: not UTF-8 text, or nested too deeply"),), None, text)


def _read_value(value: Any) -> Event | BadEvent:  # noqa: ANN401 - a JSON value
    if isinstance(value, dict) and "specversion" not in value and isinstance(value.get("dead_letter"), dict):
        if "event" not in value:
            return BadEvent((Fault("", "was no JSON when it was refused, and is none now"),))
        return read_structured(value["event"])
    return read_structured(value)


def _read_whole(content: bytes, first: int) -> Iterator[tuple[int, Event | BadEvent]]:
    if len(content) >= MAX_WHOLE_BYTES:
        raise UnreadableLine(
            f"it is read as a whole, and has more than {MAX_WHOLE_BYTES:,} bytes: an event a line", first
        )
    try:
        found = texts_of(content.decode())
    except UnicodeDecodeError:
        raise UnreadableLine("it is not UTF-8 text", first) from None
    except RecursionError:
        raise UnreadableLine("it is nested too deeply", first) from None
    except (msgspec.DecodeError, json.JSONDecodeError) as error:
        line = getattr(error, "lineno", 1) - 1 + first
        raise UnreadableLine(f"it can't be read to its end: {getattr(error, 'msg', error)}", line) from None
    for line, text in found:
        yield line + first - 1, _read_line(text.encode())
