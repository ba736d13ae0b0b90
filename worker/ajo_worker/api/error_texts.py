"""What an error says in words, without what we sent ourselves. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

MOST_TEXTS, MOST_CHARACTERS, DEEPEST = 50, 500, 6


def error_texts(document: Mapping[str, Any], body: bytes, sent: bytes) -> list[str]:
    """All texts of an error, each in lower case and on one line; ``document`` is its ``body`` if that is JSON.

    Texts that stand in the body that was ``sent`` tell nothing.
    """
    texts = _strings(document, 0) if document else iter([body[:MOST_CHARACTERS].decode(errors="replace")])
    own = (text for _, text in zip(range(MOST_TEXTS), texts, strict=False) if text.encode(errors="replace") not in sent)
    return [" ".join(text[:MOST_CHARACTERS].lower().split()) for text in own]


def _strings(value: object, depth: int) -> Iterator[str]:
    match value:
        case str() if value:
            yield value
        case dict() if depth < DEEPEST:
            for inner in value.values():
                yield from _strings(inner, depth + 1)
        case list() if depth < DEEPEST:
            for inner in value:
                yield from _strings(inner, depth + 1)
