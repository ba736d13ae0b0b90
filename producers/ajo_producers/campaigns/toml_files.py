"""Files that people write in TOML: what they hold, and which line a field stands on, which tomllib doesn't say."""

import re
from pathlib import Path
from typing import Any

from ajo_producers.contract.reading import read_text

NO_VARIABLES = "must be a table of variables"
"""What is wrong with an area, such as ``context``, that is none."""
_TABLE = re.compile(r"\s*\[\s*(?P<key>[^\[\]]+?)\s*\]\s*(#.*)?")
_ENTRY = re.compile(r"""\s*(?P<key>"[^"]*"|'[^']*'|[\w-]+(?:\s*\.\s*[\w-]+)*)\s*=""")


class BadFile(ValueError):  # noqa: N818 - named for what it is
    """A file that can't be read, or is no TOML; says which one and why."""


def text_of(path: Path) -> str:
    """What a file holds.

    Raises:
        BadFile: it can't be read.
    """
    try:
        return read_text(path, "utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise BadFile(f"{path}: {reason}") from error


def data_of(text: str, path: Path) -> dict[str, Any]:
    """What the text of a file says.

    Raises:
        BadFile: it is no TOML.
    """
    import tomllib  # noqa: PLC0415 - a tenth of the time that importing the SDK takes, and not needed for that

    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadFile(f"{path}: not TOML: {error or 'too deeply nested'}") from error


def line_of(text: str, field: str) -> int | None:
    """The line (from 1) of ``field``, such as ``context.orderId``, or of the nearest part of it; None if unseen."""
    table, best, line = "", "", None
    for number, content in enumerate(text.splitlines(), 1):
        if match := _TABLE.fullmatch(content):
            table = _plain(match["key"])
            key = table
        elif match := _ENTRY.match(content):
            key = f"{table}.{_plain(match['key'])}" if table else _plain(match["key"])
        else:
            continue
        shared = key if f"{field}.".startswith(f"{key}.") else field if key.startswith(f"{field}.") else ""
        if len(shared) > len(best):
            best, line = shared, number
    return line


def _plain(key: str) -> str:
    return re.sub(r"""\s*\.\s*|["']""", lambda match: "." if "." in match[0] else "", key.strip())
