"""Triggers from JSON: an object a line, or all of them as one array or one after another."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

import msgspec
from msgspec import Raw

from ajo_producers.cli.trigger_lines import Line, with_defaults
from ajo_producers.cli.trigger_text import BadFile
from ajo_producers.publishing.given import read_given

_SOMETHING = re.compile(r"\S")


def read_jsonl(lines: Iterable[str], defaults: Mapping[str, Any]) -> Iterator[Line]:
    """The triggers of a file of JSON, with the names that ``Campaign.trigger`` has.

    Where it begins as an array, or as an object that is written over several lines, it is read as a whole.

    Raises:
        BadFile: at once, before a line is read: it is one of these, and can't be read to its end.
    """
    rest = iter(lines)
    for before, text in enumerate(rest):
        start = text.strip()
        if start.startswith("[") or start == "{":
            return _of_values(_whole(text + "".join(rest), before), defaults)
        if start:
            return _of_lines(chain([text], rest), before, defaults)
    return iter(())


def _of_lines(lines: Iterable[str], before: int, defaults: Mapping[str, Any]) -> Iterator[Line]:
    for number, text in enumerate(lines, before + 1):
        if not text.strip():
            continue
        try:
            data = msgspec.json.decode(text.encode())
        except (msgspec.DecodeError, RecursionError) as error:
            yield Line(number, None, [str(error)])
        except UnicodeEncodeError:
            yield Line(number, None, ["it is not UTF-8 text"])
        else:
            yield _line(number, data, defaults)


def _of_values(values: list[tuple[int, Any]], defaults: Mapping[str, Any]) -> Iterator[Line]:
    for number, data in values:
        yield _line(number, data, defaults)


def _line(number: int, data: object, defaults: Mapping[str, Any]) -> Line:
    if isinstance(data, dict):
        return Line(number, *read_given(with_defaults(data, defaults)))
    return Line(number, None, ["it is no JSON object"])


def _whole(text: str, before: int) -> list[tuple[int, Any]]:
    """The values of a text with the lines on which they begin."""
    try:
        if text.lstrip().startswith("["):
            return _array(text.encode(), before)
        return _sequence(text, before)
    except UnicodeEncodeError:
        raise BadFile("it is not UTF-8 text") from None
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        what = "a JSON array" if text.lstrip().startswith("[") else "JSON over several lines"
        line = getattr(error, "lineno", 1) + before
        reason = getattr(error, "msg", None) or str(error) or "nested too deeply"
        raise BadFile(f"it is {what} that can't be read to its end: {reason}", line) from None


def _array(text: bytes, before: int) -> list[tuple[int, Any]]:
    values, position, line = [], 0, before + 1
    for raw in msgspec.json.decode(text, type=list[Raw]):
        item = bytes(raw)
        # Between two items are only blanks and a comma, so the next place with these bytes is the item's own.
        begin = text.index(item, position)
        line += text.count(b"\n", position, begin) or text.count(b"\r", position, begin)
        values.append((line, msgspec.json.decode(item)))
        line += item.count(b"\n") or item.count(b"\r")
        position = begin + len(item)
    return values


def _sequence(text: str, before: int) -> list[tuple[int, Any]]:
    decoder, values, position, line, told = json.JSONDecoder(), [], 0, before + 1, 0
    text.encode()  # refuses what was no UTF-8
    while start := _SOMETHING.search(text, position):
        line += text.count("\n", told, start.start()) or text.count("\r", told, start.start())
        told = start.start()
        value, position = decoder.raw_decode(text, told)
        values.append((line, value))
    return values
