"""Triggers on their way out, with a note of those that are not yet confirmed."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from ajo_producers.publishing.checked import CheckedTrigger


class Source:
    """Iterates over triggers once. An exception in them ends the iteration, and is kept in ``failure``."""

    def __init__(self, triggers: Iterable[CheckedTrigger]) -> None:
        self._triggers = iter(triggers)
        self._pending: dict[UUID, None] = {}
        self.failure: Exception | None = None

    def __iter__(self) -> Iterator[CheckedTrigger]:
        """The triggers, each noted as pending."""
        try:
            for trigger in self._triggers:
                if not isinstance(trigger, CheckedTrigger):
                    raise TypeError("only what Campaign.trigger returns can be published")  # noqa: TRY301 - as below
                self._pending[trigger.request_id] = None
                yield trigger
        except Exception as error:  # noqa: BLE001 - what was taken before must still be sent and reported
            self.failure = error

    def confirm(self, request_ids: Iterable[UUID]) -> None:
        """These are no longer pending."""
        for request_id in request_ids:
            self._pending.pop(request_id, None)

    def pending(self) -> tuple[UUID, ...]:
        """Those taken and not confirmed."""
        return tuple(self._pending)

    def rest(self) -> tuple[UUID, ...]:
        """Those not taken; takes them all, to name them."""
        return tuple(trigger.request_id for trigger in self)
