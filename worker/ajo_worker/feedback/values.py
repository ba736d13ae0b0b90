"""What came as values, whichever way it was written. Pure.

A webhook's object and a dataset's row, nested or flattened in whatever way, as one flat table; single texts, numbers
and instants; and free texts without the addresses that mail servers quote in them.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ajo_producers.contract.masking import without_addresses
from ajo_producers.contract.timed_ids import EPOCH

Leaves = Mapping[str, Any]
"""Values by path, whose names run together without signs: ``experiencea0b`` stands for ``_experience.a[0].B``."""

DEEPEST = 16
MOST_LEAVES = 2000
LONGEST_PATH = 500
_SIGNS = re.compile(r"[^0-9a-z]")


def leaves_of(row: object) -> Leaves:
    """All values of a row. JSON inside a text is looked into: exports have structures in one column.

    What lies deeper than ``DEEPEST`` names, under a path above ``LONGEST_PATH`` characters, or after the first
    ``MOST_LEAVES`` values, is left out.
    """
    found: dict[str, Any] = {}
    for path, value in _walk("", row, 0):
        found.setdefault(path, value)
        if len(found) >= MOST_LEAVES:
            break
    return found


def _walk(path: str, value: object, depth: int) -> Iterator[tuple[str, Any]]:
    if depth > DEEPEST or len(path) > LONGEST_PATH:
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


MOST_TEXT = 200
MOST_COUNT = 2**31 - 1
SCALES, FINEST = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6)), 1e9
"""Below which number since 1970 how many make a second: more seconds would be the year 5138, and so on."""
FIRST, LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def text_of(value: Any) -> str | None:  # noqa: ANN401 - a value of JSON, CSV or Parquet
    """A text that the ledger can hold; None for what is empty, or says that it is nothing."""
    if value is None or isinstance(value, dict | list):
        return None
    plain = str(value).encode(errors="replace").decode().replace("\0", "").strip()
    return None if plain.lower() in {"", "null", "none", "nan"} else plain


def count_of(value: Any) -> int | None:  # noqa: ANN401 - a value of JSON, CSV or Parquet
    """A count from 0; None for what is none."""
    try:
        number = int(float(text_of(value) or ""))
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number <= MOST_COUNT else None


def instant_of(value: Any) -> datetime | None:  # noqa: ANN401 - a value of JSON, CSV or Parquet
    """An instant: ISO 8601, seconds since 1970 or parts of them down to a billionth, or a datetime; without a zone it
    is UTC. None if empty, or the zero of a clock (1970-01-01, 0001-01-01): so programs write that they know none.

    Raises:
        ValueError: it is none, or lies before 2000 or after 2199.
    """
    if isinstance(value, datetime):
        found = value
    elif (text := text_of(value)) is None:
        return None
    else:
        found = _read(text)
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    if found.year == 1 or found == EPOCH:
        return None
    try:
        found = found.astimezone(UTC)
    except OverflowError:
        raise ValueError("is out of range") from None
    if not FIRST <= found < LAST:
        raise ValueError("lies before 2000 or after 2199")
    return found


def _read(text: str) -> datetime:
    try:
        number = float(text)
    except ValueError:
        try:
            return datetime.fromisoformat(text.removesuffix("UTC").strip())
        except ValueError:
            raise ValueError("is no instant (ISO 8601, or a number since 1970)") from None
    try:
        return EPOCH + timedelta(seconds=number / next((parts for most, parts in SCALES if abs(number) < most), FINEST))
    except (OverflowError, ValueError):
        raise ValueError("is out of range") from None


MOST_KEPT = 500
"""Characters of a free text, cut once its addresses are replaced: none is kept in part."""

# Seven digits or more with at most two other signs between them: also dates and IP addresses, which nobody misses.
PHONE = re.compile(r"(?<![\w.])\+?\(?\d(?:[\s().\-/]{0,2}\d){6,}(?!\w)")


def masked(text: str) -> str:
    """The text with ``(address)`` for whatever looks like an e-mail address, and ``(number)`` for a phone number."""
    return PHONE.sub("(number)", without_addresses(text))[:MOST_KEPT]
