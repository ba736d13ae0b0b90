"""E-mail addresses in texts: nobody is to find one in a log, a message or the ledger. Pure."""

import re
from collections.abc import Iterable

MASK = "(address)"
_PART = r"[^\s<>()\[\]{}\"',;:=@]"
# It is looked for at the begin of a run alone, so that a text is passed through once or twice, however long it is.
_EMAIL = re.compile(rf"(?<!{_PART}){_PART}+(?:@|\N{{FULLWIDTH COMMERCIAL AT}}|%40){_PART}+")
_AFTER = ".…!?"


def has_address(text: str) -> bool:
    """Whether something in a text looks like an e-mail address."""
    return _EMAIL.search(text) is not None


def without_addresses(text: str) -> str:
    """The text with ``(address)`` for whatever looks like an e-mail address; ids keep their digits."""
    return _EMAIL.sub(MASK, text)


def without_repeated(text: str, given: Iterable[str]) -> str:
    """The text with ``(address)`` for those that stand in what was ``given``, whole or cut short; others are nobody's.

    What only looks like one, such as ``postgresql://USER:PASSWORD@HOST`` in an advice, stays so.
    """
    known = [found for one in given for found in _EMAIL.findall(one)]

    def masked(match: re.Match[str]) -> str:
        found = match[0].rstrip(_AFTER)
        return MASK + match[0][len(found) :] if any(one.startswith(found) for one in known) else match[0]

    return _EMAIL.sub(masked, text) if known else text
