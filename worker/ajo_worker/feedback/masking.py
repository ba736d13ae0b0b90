"""Free texts of failures without the addresses that mail servers quote in them. Pure."""

import re

MOST_READ, MOST_KEPT = 2000, 500
"""Characters: an address that is cut at the first lies behind the second, and is not kept in part."""

_PART = r"[^\s<>()\[\]{}\"',;:=@]"
EMAIL = re.compile(rf"{_PART}{{1,200}}?(?:@|\N{{FULLWIDTH COMMERCIAL AT}}|%40){_PART}+", re.IGNORECASE)
# Seven digits or more with at most two other signs between them: also dates and IP addresses, which nobody misses.
PHONE = re.compile(r"(?<![\w.])\+?\(?\d(?:[\s().\-/]{0,2}\d){6,}(?!\w)")


def masked(text: str) -> str:
    """The text with ``(address)`` for whatever looks like an e-mail address, and ``(number)`` for a phone number."""
    return PHONE.sub("(number)", without_addresses(text[:MOST_READ]))[:MOST_KEPT]


def without_addresses(text: str) -> str:
    """The text with ``(address)`` for whatever looks like an e-mail address; ids keep their digits."""
    return EMAIL.sub("(address)", text)
