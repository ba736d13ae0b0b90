"""Which line of a definition file a field stands on: tomllib doesn't say."""

import re

_TABLE = re.compile(r"\s*\[\s*(?P<key>[^\[\]]+?)\s*\]\s*(#.*)?")
_ENTRY = re.compile(r"""\s*(?P<key>"[^"]*"|'[^']*'|[\w-]+(?:\s*\.\s*[\w-]+)*)\s*=""")


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
