"""A webhook's object and a dataset's row, nested or flattened in whatever way, as one flat table of values. Pure."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Leaves = Mapping[str, Any]
"""Values by path, whose names run together without signs: ``experiencea0b`` stands for ``_experience.a[0].B``."""

DEEPEST = 16
MOST_LEAVES = 2000
_SIGNS = re.compile(r"[^0-9a-z]")


def leaves_of(row: object) -> Leaves:
    """All values of a row. JSON inside a text is looked into: exports have structures in one column.

    What lies deeper than ``DEEPEST`` names, or after the first ``MOST_LEAVES`` values, is left out.
    """
    found: dict[str, Any] = {}
    for path, value in _walk("", row, 0):
        found.setdefault(path, value)
        if len(found) >= MOST_LEAVES:
            break
    return found


def _walk(path: str, value: object, depth: int) -> Iterator[tuple[str, Any]]:
    if depth > DEEPEST:
        return
    for name, inner in _parts(value) or ():
        yield from _walk(path + _SIGNS.sub("", name.lower()), inner, depth + 1)
    if path and not isinstance(value, dict | list | tuple) and value not in {None, ""}:
        yield path, value


def _parts(value: object) -> list[tuple[str, object]] | None:
    match value:
        case dict():
            return [(str(name), inner) for name, inner in value.items()]
        case list() if value and all(_is_entry(inner) for inner in value):  # Parquet's maps come as pairs
            return [(name, inner) for name, inner in value]
        case list():
            return [(str(number), inner) for number, inner in enumerate(value)]
        case str() if value[:1] in {"{", "["}:
            try:
                return _parts(json.loads(value))
            except (ValueError, RecursionError):
                return None
    return None


def _is_entry(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str)  # noqa: PLR2004 - a pair


def tails(path: str, shortest: int = 1) -> tuple[str, ...]:
    """The keys that a value may have: its whole path, then without the first names, down to ``shortest`` of them."""
    names = [_SIGNS.sub("", name.lower()) for name in path.split(".")]
    return tuple("".join(names[begin:]) for begin in range(len(names) - shortest + 1))


def first_of(leaves: Leaves, keys: Sequence[str]) -> Any:  # noqa: ANN401 - a value of JSON, CSV or Parquet
    """The value under the first key that has one."""
    return next((leaves[key] for key in keys if key in leaves), None)
