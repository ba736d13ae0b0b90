"""Text as PostgreSQL can hold it. Pure."""

import re
from typing import TypeVar

Text = TypeVar("Text", str, str | None)

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""What PostgreSQL's text can't hold: the character with the number 0, and halves of surrogate pairs."""


def storable(text: Text) -> Text:
    """The text; what of it can't be held is marked, so that no name becomes another one."""
    if not text or (text.isascii() and "\x00" not in text):
        return text
    return UNSTORABLE.sub("\ufffd", text)
