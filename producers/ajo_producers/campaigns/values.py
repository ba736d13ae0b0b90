"""Types of variables, and which values each takes.

Adobe treats every value of ``context`` as a string (Journey Optimizer's guide), so a type says what is meant and not
how it is spelled: ``string`` takes any scalar; ``number`` and ``boolean`` also take their text, as a CSV file has it.
"""

import math
from collections.abc import Callable

from ajo_producers.campaigns.definition import ValueType

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
