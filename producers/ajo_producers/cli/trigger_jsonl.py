"""Triggers from JSON: an object a line, or all of them as one array or one after another."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

import msgspec

from ajo_producers.cli.trigger_lines import Line, with_defaults
from ajo_producers.cli.trigger_text import MOST_WHOLE, BadFile
from ajo_producers.contract.json_text import decode_clear, texts_of
from ajo_producers.publishing.given import read_given


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
            return _of_values(_whole(_rest(text, rest, before), before), defaults)
        if start:
            return _of_lines(chain([text], rest), before, defaults)
    return iter(())


def _of_lines(lines: Iterable[str], before: int, defaults: Mapping[str, Any]) -> Iterator[Line]:
    for number, text in enumerate(lines, before + 1):
        if not text.strip():
            continue
        try:
            data = _value(text)
        except RecursionError as error:
            yield Line(number, None, [str(error)])
        except UnicodeEncodeError:
            yield Line(number, None, ["it is not UTF-8 text"])
        else:
            yield _line(number, data, defaults)


def _of_values(values: list[tuple[int, Any]], defaults: Mapping[str, Any]) -> Iterator[Line]:
    for number, data in values:
        yield _line(number, data, defaults)


def _line(number: int, data: object, defaults: Mapping[str, Any]) -> Line:
    if isinstance(data, msgspec.DecodeError):
        return Line(number, None, [str(data)])
    if isinstance(data, dict):
        return Line(number, *read_given(with_defaults(data, defaults)))
    return Line(number, None, ["it is no JSON object"])


def _value(text: str) -> Any:  # noqa: ANN401 - a JSON value
    """The value, or why it is none."""
    try:
        return decode_clear(text)
    except msgspec.DecodeError as error:
        return error


def _rest(text: str, lines: Iterable[str], before: int) -> str:
    """The first line with all that follow."""
    parts, size = [text], len(text)
    for line in lines:
        parts.append(line)
        size += len(line)
        if size > MOST_WHOLE:
            most = f"{MOST_WHOLE:,} characters"
            raise BadFile(f"it is read as a whole, and has more than {most}: write a trigger a line", before + 1)
    return "".join(parts)


def _whole(text: str, before: int) -> list[tuple[int, Any]]:
    """The values of a text with the lines on which they begin."""
    try:
        return [(before + line, _value(item)) for line, item in texts_of(text)]
    except UnicodeEncodeError:
        raise BadFile("it is not UTF-8 text") from None
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        what = "a JSON array" if text.lstrip().startswith("[") else "JSON over several lines"
        line = getattr(error, "lineno", 1) + before
        reason = getattr(error, "msg", None) or str(error) or "nested too deeply"
        raise BadFile(f"it is {what} that can't be read to its end: {reason}", line) from None
