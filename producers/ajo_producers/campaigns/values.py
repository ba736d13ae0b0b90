"""Types of variables, and which values each takes.

Adobe treats every value of ``context`` as a string (Journey Optimizer's guide), so a type says what is meant and not
how it is spelled: ``string`` takes any scalar; ``number`` and ``boolean`` also take their text. Live activities are the
exception, whose numbers must be numbers: what comes as text alone, from a command line or a CSV file, gets its type.
"""

import math
import re
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET

from ajo_producers.campaigns.definition import ValueType, Variable
from ajo_producers.contract.json_text import NameTwice, decode_clear

BOOLEANS = frozenset({"true", "false"})


def is_plain(value: object) -> bool:
    """Whether a value is JSON through and through: no NaN, no infinity, no dates, no bytes, only text as keys."""
    if isinstance(value, float):
        return math.isfinite(value)
    if value is None or isinstance(value, str | int):
        return True
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_plain(item) for key, item in value.items())
    return isinstance(value, list | tuple) and all(map(is_plain, value))


def _is_string(value: object) -> bool:
    return isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return False
    try:
        return math.isfinite(float(value))
    except (ValueError, OverflowError):
        return False


def _is_boolean(value: object) -> bool:
    return isinstance(value, bool) or (isinstance(value, str) and value.lower() in BOOLEANS)


def _is_object(value: object) -> bool:
    return isinstance(value, dict) and is_plain(value)


def _is_array(value: object) -> bool:
    return isinstance(value, list | tuple) and is_plain(value)


TAKES: dict[ValueType, Callable[[object], bool]] = {
    "string": _is_string,
    "number": _is_number,
    "boolean": _is_boolean,
    "object": _is_object,
    "array": _is_array,
}
"""For each type, whether it takes a value."""

LISTABLE = ("string", "number")
"""Types whose variables may be one of a few values."""
_SHOWN = 12


def takes(variable: Variable) -> Callable[[object], bool]:
    """Whether a variable takes a value: of its type and, where it is one of a few, spelt as they are."""
    of_its_type = TAKES[variable.type]
    if variable.one_of is UNSET:
        return of_its_type
    known = frozenset(variable.one_of)
    return lambda value: of_its_type(value) and value in known


def few(variable: Variable) -> str | None:
    """The few values that a variable is one of, in words; None if all of its type are taken."""
    if variable.one_of is UNSET:
        return None
    shown = [msgspec.json.encode(value).decode() for value in variable.one_of[:_SHOWN]]
    more = len(variable.one_of) - _SHOWN
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


_NUMBER = re.compile(r"[+-]?(?:0|[1-9]\d*|(?=\.))(?P<fraction>(?:\.\d+)?(?:[eE][+-]?\d+)?)", re.ASCII)


def from_text(kind: ValueType, text: str) -> Any:  # noqa: ANN401 - a JSON value
    """The value of a type that a text says.

    Raises:
        ValueError: it says none; the text says what is wanted.
    """
    match kind:
        case "string":
            return text
        case "number":
            return _number(text.strip())
        case "boolean":
            if (word := text.strip().lower()) not in BOOLEANS:
                raise ValueError("must be true or false")
            return word == "true"
    try:
        value = decode_clear(text)
    except NameTwice as error:
        raise ValueError(f"is not clear: {error}") from None
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        value = None
    if not TAKES[kind](value):
        raise ValueError(f"must be JSON: an {kind}")
    return value


def _number(text: str) -> int | float:
    if match := _NUMBER.fullmatch(text):
        value = float(text) if match["fraction"] else int(text)
        if math.isfinite(value):
            return value
    if re.fullmatch(r"[+-]?[\d.]*,\d+", text):
        raise ValueError("must be a number such as 12.5, with a point and no comma")
    if re.fullmatch(r"[+-]?0\d+", text):
        raise ValueError("must be a number, without zeros before it; if they mean something, its type is string")
    raise ValueError("must be a number such as 12.5")


def type_of(value: object) -> ValueType:
    """The type that a value of a sample suggests; an empty place (null) is text."""
    match value:
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case dict():
            return "object"
        case list() | tuple():
            return "array"
        case _:
            return "string"
