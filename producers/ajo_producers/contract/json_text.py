"""JSON that people and their scripts have written: on which lines it stands, and that it is beyond doubt. Pure."""

import json
import re
from typing import Any

import msgspec
from msgspec import Raw

_SOMETHING = re.compile(r"\S")


class NameTwice(msgspec.DecodeError):
    """An object has a name twice."""


def decode_clear(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """The value of a JSON text none of whose objects has a name twice: most programs would take the last one.

    Raises:
        msgspec.DecodeError: it is no JSON, or (``NameTwice``) a name stands there twice.
        RecursionError: it is nested too deeply.
        UnicodeEncodeError: it has half a surrogate pair.
    """
    value = msgspec.json.decode(text)
    json.loads(text, strict=False, object_pairs_hook=_check, parse_int=float)  # of many digits an int takes long
    return value


def texts_of(text: str) -> list[tuple[int, str]]:
    """The texts of an array's items, or of values that stand one after another, with the lines on which they begin.

    Raises:
        msgspec.DecodeError, json.JSONDecodeError: it can't be read to its end.
        RecursionError: it is nested too deeply.
        UnicodeEncodeError: it has half a surrogate pair.
    """
    return _items(text.encode()) if text.lstrip().startswith("[") else _one_after_another(text)


def _items(text: bytes) -> list[tuple[int, str]]:
    found, position, line = [], 0, 1
    for raw in msgspec.json.decode(text, type=list[Raw]):
        item = bytes(raw)
        # Between two items are only blanks and a comma, so the next place with these bytes is the item's own.
        begin = text.index(item, position)
        line += text.count(b"\n", position, begin) or text.count(b"\r", position, begin)
        found.append((line, item.decode()))
        line += item.count(b"\n") or item.count(b"\r")
        position = begin + len(item)
    return found


def _one_after_another(text: str) -> list[tuple[int, str]]:
    text.encode()  # refuses what was no UTF-8
    decoder, found, position, line, told = json.JSONDecoder(), [], 0, 1, 0
    while start := _SOMETHING.search(text, position):
        line += text.count("\n", told, start.start()) or text.count("\r", told, start.start())
        told = start.start()
        _, position = decoder.raw_decode(text, told)
        found.append((line, text[told:position]))
    return found


def _check(pairs: list[tuple[str, Any]]) -> None:
    names = {name for name, _ in pairs}
    if len(names) != len(pairs):
        twice = next(name for index, (name, _) in enumerate(pairs) if any(name == one for one, _ in pairs[:index]))
        shown = twice if twice.isidentifier() else "a name"  # any other may be a value that slipped
        raise NameTwice(f"{shown} stands twice in one object")
