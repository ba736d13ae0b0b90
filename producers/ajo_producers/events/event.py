"""Events as values: one, what is wrong with one, and what can't be taken as one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple


class Fault(NamedTuple):
    """What is wrong, and where in the event (a path such as ``data.customer.email``), perhaps for one mapping."""

    path: str
    text: str
    mapping: str | None = None

    def __str__(self) -> str:
        """For people."""
        text = f"{self.path} {self.text}" if self.path else self.text
        return f"{self.mapping}: {text}" if self.mapping else text


class Event(NamedTuple):
    """One event. ``document`` is what expressions look at: the attributes as they came, and ``data``."""

    document: Mapping[str, Any]
    time: datetime | None

    def __repr__(self) -> str:
        """Nothing personal: reprs end up in logs."""
        return f"Event({self.type})"

    def traced(self, traceparent: str | None) -> "Event":
        """The event with this trace, if it has none of its own."""
        if traceparent is None or "traceparent" in self.document:
            return self
        return self._replace(document={**self.document, "traceparent": traceparent})

    @property
    def id(self) -> str:
        """Names the event, together with its source."""
        return str(self.document["id"])

    @property
    def source(self) -> str:
        """Who tells of it."""
        return str(self.document["source"])

    @property
    def type(self) -> str:
        """What has happened."""
        return str(self.document["type"])


class BadEvent(NamedTuple):
    """What can't be taken as an event, and why; ``id`` where it has one that can be shown, ``value`` as it came."""

    faults: tuple[Fault, ...]
    id: str | None = None
    value: Any = None

    def __repr__(self) -> str:
        """Nothing personal: reprs end up in logs."""
        return f"BadEvent({self.faults})"
