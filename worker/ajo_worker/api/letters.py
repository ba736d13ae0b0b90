"""Text as letters and digits alone, so that it compares whatever it was wrapped in on its way. Pure."""

import html
import re
import unicodedata
from urllib.parse import unquote

MOST_PLAIN = 20_000
"""Bytes that are looked at whole; of more only what stands around ``worth``."""
AROUND = 2_000

# However often JSON was put into a text of JSON, its escapes have one or more backslashes.
_ESCAPE = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|[nrtbfv])")
_TAG = re.compile(r"<[^<>]{0,500}>")
_SIGNS = re.compile(r"[^a-z0-9]+")
WRAPPINGS = 3
"""How often text is unwrapped: HTML in HTML in JSON, say."""


def plain(raw: bytes, worth: "re.Pattern[bytes]") -> str:
    """Readable text of an answer in lower case: escapes of JSON, HTML and URLs undone.

    Of more than ``MOST_PLAIN`` bytes only what stands around a match of ``worth``.
    """
    whole = raw.replace(b"\0", b"")  # UTF-16 and UTF-32 of English are ASCII with these in between
    if len(whole) > MOST_PLAIN:
        whole = _around(whole, worth)
    text = whole.decode(errors="replace")
    for _ in range(WRAPPINGS):
        before, text = text, html.unescape(_ESCAPE.sub(_unescaped, text))
        if "%" in text:
            text = unquote(text, errors="replace")
        if text == before:
            break
    return unicodedata.normalize("NFKC", text).casefold()


def letters(text: str) -> str:
    """What ``plain`` gave, without spaces, signs and line breaks.

    Where there are tags, it comes twice: without them, a blank, and with them, for what looks like a tag may be none.
    """
    tagless = _TAG.sub("", text)
    return _SIGNS.sub("", tagless) + (" " + _SIGNS.sub("", text) if tagless != text else "")


def _around(raw: bytes, worth: "re.Pattern[bytes]") -> bytes:
    parts, end = [], 0
    for found in worth.finditer(raw):
        parts.append(raw[max(found.start() - AROUND, end) : found.end() + AROUND])
        end = found.end() + AROUND
    return b"".join(parts)


def _unescaped(found: "re.Match[str]") -> str:
    code = found[1] or found[2]
    return chr(int(code, 16)) if code else " "
