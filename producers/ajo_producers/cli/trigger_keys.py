"""One key stands for one message: lines that have the same one, and another recipient or content, are found."""

from array import array
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any, NamedTuple, TypeAlias

import msgspec

from ajo_producers.cli.trigger_lines import Line
from ajo_producers.contract.addresses import as_compared
from ajo_producers.contract.content import addresses_compared
from ajo_producers.publishing.given import GivenRecipient, GivenTrigger
from ajo_producers.publishing.stream import ONLY_THE_FIRST

Clash: TypeAlias = Callable[[Line], str | None]
"""What is wrong with a line's key; None if nothing is."""
MOST = 1_000_000
"""Keys that are remembered of lines that can't be read twice; beyond them, those so far are forgotten."""

_encode = msgspec.json.Encoder(order="deterministic").encode


class _First(NamedTuple):
    """The first line that had a key, and the first one with other content."""

    number: int
    content: int
    other: int


def clashes(lines: Iterable[Line]) -> Clash:
    """Looks through all lines first: where a key stands for two messages, nobody knows which is meant."""
    keys, contents, numbers = array("q"), array("q"), array("q")  # of millions of lines
    for line in lines:
        if (key := _key(line)) is not None:
            keys.append(key)
            contents.append(_content(line))
            numbers.append(line.number)
    found: dict[int, _First] = {}
    for key, places in groupby(sorted(range(len(keys)), key=keys.__getitem__), keys.__getitem__):
        first, *others = places
        other = next((numbers[place] for place in others if contents[place] != contents[first]), None)
        if other is not None:
            found[key] = _First(numbers[first], contents[first], other)

    def of(line: Line) -> str | None:
        key = _key(line)
        first = None if key is None else found.get(key)
        if first is None:
            return None
        return _told(first.other if first.content == _content(line) else first.number)

    return of


def following() -> Clash:
    """For lines that can't be read twice: each is compared with the first that had its key."""
    keys: dict[int, tuple[int, int]] = {}

    def of(line: Line) -> str | None:
        if (key := _key(line)) is None:
            return None
        if len(keys) >= MOST:
            keys.clear()
        content = _content(line)
        first, its_content = keys.setdefault(key, (line.number, content))
        return None if its_content == content else _told(first)

    return of


def _told(number: int) -> str:
    return f"its key is also that of line {number}, with another recipient or content: {ONLY_THE_FIRST}"


def _key(line: Line) -> int | None:
    given = line.given
    return None if given is None or given.key is None else hash((given.key, given.occurred_at))


def _content(line: Line) -> int:
    given = line.given
    if given is None:
        return 0
    recipients = None if given.recipients is None else [_parts(one) for one in given.recipients]
    try:
        return hash(_encode((_parts(given), recipients)))
    except (TypeError, ValueError, RecursionError):  # what JSON can't say is refused for itself
        return 0


def _parts(given: GivenTrigger | GivenRecipient) -> tuple[Any, ...]:
    """Whom and what it is for, with addresses as they are compared."""
    to, user_id = (None if one is None else as_compared(one) for one in (given.to, given.user_id))
    data = None if given.channel_data is None else addresses_compared(given.channel_data)
    return to, user_id, data, given.profile, given.context
