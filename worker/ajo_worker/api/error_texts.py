"""What an error says in words, without what we sent ourselves. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

MOST_TEXTS, MOST_CHARACTERS, DEEPEST = 50, 500, 6

PERSONAL = "userId", "channelData", "profile", "context"
LEAST_OWN = 3
"""Characters of what counts as quoted; what is shorter may be anything."""
DEEPEST_SENT = 32


def error_texts(document: Mapping[str, Any], body: bytes, sent: bytes) -> list[str]:
    """All texts of an error, each in lower case and on one line; ``document`` is its ``body`` if that is JSON.

    Texts that stand in the body that was ``sent`` tell nothing.
    """
    texts = _strings(document, 0) if document else iter([body[:MOST_CHARACTERS].decode(errors="replace")])
    own = (text for _, text in zip(range(MOST_TEXTS), texts, strict=False) if text.encode(errors="replace") not in sent)
    return [" ".join(text[:MOST_CHARACTERS].lower().split()) for text in own]


def without_sent(text: str, sent: bytes) -> str:
    """A text of an error without the values of recipients that it quotes from the body that was ``sent``."""
    try:
        personal = [each.get(part) for each in msgspec.json.decode(sent)["recipients"] for part in PERSONAL]
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
        return text
    lower = text.lower()
    own = {value for value in _strings(personal, 0, DEEPEST_SENT, numbers=True) if len(value) >= LEAST_OWN}
    quoted = sorted((value for value in own if value.lower() in lower), key=len, reverse=True)
    if not quoted:
        return text
    return re.sub(rf"(?<!\w)({'|'.join(map(re.escape, quoted))})(?!\w)", "…", text, flags=re.IGNORECASE)


def _strings(value: object, depth: int, deepest: int = DEEPEST, *, numbers: bool = False) -> Iterator[str]:
    match value:
        case str() if value:
            yield value
        case bool():
            return
        case int() | float() if numbers:
            yield str(value)
        case dict() if depth < deepest:
            for inner in value.values():
                yield from _strings(inner, depth + 1, deepest, numbers=numbers)
        case list() if depth < deepest:
            for inner in value:
                yield from _strings(inner, depth + 1, deepest, numbers=numbers)
