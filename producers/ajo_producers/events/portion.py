"""Some events at a time: what they make is published together, and what became of each is known apart."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol
from uuid import UUID

from ajo_producers.events.event import BadEvent, Event
from ajo_producers.events.translation import Translation
from ajo_producers.publishing.checked import CheckedTrigger
from ajo_producers.publishing.errors import PublishError
from ajo_producers.publishing.outgoing import Receipt


class Streaming(Protocol):
    """As much of ``Publisher`` as is used."""

    def publish_stream(self, triggers: Iterable[CheckedTrigger], /) -> Iterator[tuple[Receipt, ...]]: ...


class Portion:
    """Events that go together; publish it as often as needed: what was confirmed is not sent again."""

    def __init__(self, events: Iterable[Event | BadEvent], translate: Callable[[Event], Translation]) -> None:
        self.found: Sequence[Translation | BadEvent] = [
            event if isinstance(event, BadEvent) else translate(event) for event in events
        ]
        self._confirmed: set[UUID] = set()

    def publish(self, publisher: Streaming) -> PublishError | None:
        """Publish what is not confirmed yet; why not all of it is, or None."""
        waiting = [
            trigger for one in self.found for trigger in _triggers(one) if trigger.request_id not in self._confirmed
        ]
        try:
            for receipts in publisher.publish_stream(waiting):
                self._confirmed.update(receipt.request_id for receipt in receipts)
        except PublishError as error:
            return error
        return None

    def is_done(self, index: int) -> bool:
        """Whether the broker has all that an event made; true of one that made nothing."""
        return all(trigger.request_id in self._confirmed for trigger in _triggers(self.found[index]))

    @property
    def refused(self) -> list[Translation | BadEvent]:
        """Events with faults; triggers of theirs may have gone out all the same."""
        return [one for one in self.found if one.faults]

    @property
    def confirmed(self) -> int:
        """Triggers that the broker has."""
        return len(self._confirmed)

    def counts(self) -> Counter[str]:
        """Events by status."""
        return Counter("refused" if isinstance(one, BadEvent) else one.status for one in self.found)


def _triggers(one: Translation | BadEvent) -> tuple[CheckedTrigger, ...]:
    return one.triggers if isinstance(one, Translation) else ()
