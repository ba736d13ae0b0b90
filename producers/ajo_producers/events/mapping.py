"""Mappings: which events trigger which campaign, and from where in an event a trigger takes what it brings."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Literal, NamedTuple, TypeAlias

from ajo_producers.events.event import Event
from ajo_producers.events.expressions import Expression, ExpressionError

Missing: TypeAlias = Literal["omit", "refuse", "skip"]
"""Where an expression finds nothing: the field is left out, the event is refused, or the mapping sends nothing."""
Unmatched: TypeAlias = Literal["dead-letter", "ignore"]
"""What becomes of an event that no mapping takes."""

PATTERNS = ("type", "source", "subject")
"""Attributes by which a mapping chooses events; ``*`` stands for any characters."""


class Value(NamedTuple):
    """Where a field of the trigger comes from: an ``expression``, or the same ``constant`` for every event."""

    expression: Expression | None = None
    constant: Any = None
    default: Any = None
    missing: Missing = "omit"

    @property
    def path(self) -> str:
        """Where in the event it looks, for people."""
        return self.expression.path if self.expression is not None else "a constant"


class Condition(NamedTuple):
    """One condition of a mapping, and whether an event fulfils it; ``fault`` if it can't be told."""

    text: str
    holds: bool
    fault: str | None = None


class EventMapping(NamedTuple):
    """One table of a mapping file. ``fields`` are by the trigger's names, such as ``to`` and ``context.orderId``."""

    name: str
    campaign: str
    patterns: Mapping[str, tuple[str, ...]]
    when: Expression | None
    fields: Mapping[str, Value]

    def conditions(self, event: Event) -> Iterator[Condition]:
        """Each condition, and whether the event fulfils it; after the first that fails no other is tried. Pure."""
        for attribute, patterns in self.patterns.items():
            found = event.document.get(attribute)
            holds = isinstance(found, str) and any(fnmatchcase(found, pattern) for pattern in patterns)
            yield Condition(f"{attribute} is {' or '.join(patterns)}", holds)
            if not holds:
                return
        if self.when is not None:
            try:
                yield Condition(f"when {self.when.text}", self.when.holds(event.document))
            except ExpressionError as error:
                yield Condition(f"when {self.when.text}", holds=False, fault=str(error))


class Mappings(NamedTuple):
    """A mapping file: its tables in their order, and what becomes of events that none of them takes."""

    mappings: tuple[EventMapping, ...]
    unmatched: Unmatched = "dead-letter"

    def knows(self, type_: str) -> bool:
        """Whether a mapping asks for events of this type."""
        return any(fnmatchcase(type_, pattern) for one in self.mappings for pattern in one.patterns.get("type", ()))

    def types(self) -> list[str]:
        """The types of events that are named, for suggestions."""
        named = (pattern for mapping in self.mappings for pattern in mapping.patterns.get("type", ()))
        return sorted({pattern for pattern in named if "*" not in pattern})
