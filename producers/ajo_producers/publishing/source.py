"""Triggers on their way out, with a note of those that are not yet confirmed."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from ajo_producers.contract.content import content_of
from ajo_producers.publishing.checked import CheckedTrigger
from ajo_producers.publishing.errors import InvalidTrigger

CLASH = (
    "its key is that of an earlier trigger with another recipient or content: "
    "of messages with one key only the first is ever sent, so give each its own"
)


class Source:
    """Iterates over triggers once. An exception in them ends the iteration, and is kept in ``failure``.

    Where it ``remembers`` them all, a key that stands for two messages is one as well.
    """

    def __init__(self, triggers: Iterable[CheckedTrigger], *, remembers: bool = False) -> None:
        self._triggers = iter(triggers)
        self._pending: dict[UUID, None] = {}
        self._contents: dict[UUID, int] | None = {} if remembers else None
        self.failure: Exception | None = None

    def __iter__(self) -> Iterator[CheckedTrigger]:
        """The triggers, each noted as pending."""
        try:
            for trigger in self._triggers:
                if not isinstance(trigger, CheckedTrigger):
                    raise TypeError("only what Campaign.trigger returns can be published")  # noqa: TRY301 - as below
                if self._contents is not None:
                    content = hash(content_of(trigger.trigger.campaign, trigger.trigger.recipients))
                    if self._contents.setdefault(trigger.request_id, content) != content:
                        raise InvalidTrigger(trigger.trigger.campaign, [CLASH])  # noqa: TRY301 - as below
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
