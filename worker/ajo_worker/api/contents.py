"""What stands in an answer's body, though it came compressed or in another Unicode than JSON's. Pure."""

import json
import zlib
from typing import Any

import msgspec

GZIP_OR_ZLIB = 47
"""``wbits`` of zlib: whichever it is."""
CODINGS = frozenset({"gzip", "x-gzip", "deflate"})
MOST_CODINGS = 3
"""How often a body may have been compressed."""


def uncompressed(body: bytes, codings: str, most: int) -> bytes:
    """A body as it was before it was compressed, though nobody asked for that; ``most`` bytes of it at most.

    ``codings`` is its content-encoding. What isn't what that says is left as it is.
    """
    for coding in reversed(codings.lower().split(",")[:MOST_CODINGS]):
        if coding.strip() not in CODINGS:
            break
        try:
            body = zlib.decompressobj(wbits=GZIP_OR_ZLIB).decompress(body, most)
        except zlib.error:
            break
    return body


def is_page(body: bytes) -> bool:
    """Whether a body is HTML or XML: what proxies and firewalls show in Adobe's place, with whatever status."""
    return body[:1000].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xfe\xff \t\r\n").startswith(b"<")


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object that a body is; an empty one if it is none.

    Gateways that write answers anew put a BOM before them, or take UTF-16; what isn't Unicode is marked (U+FFFD).
    """
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = _leniently(body)
    return found if isinstance(found, dict) else {}


def _leniently(body: bytes) -> object:
    try:
        text = body.decode(json.detect_encoding(body), errors="replace").rstrip("\0")
        # Half a surrogate pair is no text, and nobody could print it.
        return json.loads(json.dumps(json.loads(text), ensure_ascii=False).encode(errors="replace"))
    except (ValueError, RecursionError):
        return None
