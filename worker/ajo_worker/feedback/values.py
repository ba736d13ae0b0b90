"""Single values of feedback as they come: texts, numbers, instants. Pure."""

from datetime import UTC, datetime, timedelta
from typing import Any

MOST_TEXT = 200
MOST_COUNT = 2**31 - 1
MILLISECONDS_FROM = 100_000_000_000
"""A number from here on counts milliseconds since 1970: as seconds it would be the year 5138."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST = datetime(2200, 1, 1, tzinfo=UTC)


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
    """An instant: ISO 8601, seconds or milliseconds since 1970, or a datetime; without a zone it is UTC. None if empty.

    Raises:
        ValueError: it is none, or lies before 1970 or after 2199.
    """
    if isinstance(value, datetime):
        found = value
    elif (text := text_of(value)) is None:
        return None
    else:
        found = _read(text)
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    try:
        found = found.astimezone(UTC)
    except OverflowError:
        raise ValueError("is out of range") from None
    if not EPOCH <= found < LAST:
        raise ValueError("lies before 1970 or after 2199")
    return found


def _read(text: str) -> datetime:
    try:
        number = float(text)
    except ValueError:
        try:
            return datetime.fromisoformat(text.removesuffix("UTC").strip())
        except ValueError:
            raise ValueError("is no instant (ISO 8601, or milliseconds since 1970)") from None
    try:
        return EPOCH + timedelta(milliseconds=number if abs(number) >= MILLISECONDS_FROM else number * 1000)
    except (OverflowError, ValueError):
        raise ValueError("is out of range") from None
