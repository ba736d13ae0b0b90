"""Many triggers of one caller on their way out: which go together, and what is told of them at the end."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple
from uuid import UUID

from ajo_producers.contract.content import content_of
from ajo_producers.publishing.carrier import Carrier, Delivered
from ajo_producers.publishing.checked import NOT_CHECKED, CheckedTrigger
from ajo_producers.publishing.errors import InvalidTrigger, PublishError
from ajo_producers.publishing.outgoing import Receipt, batches, windows, windows_in_order

Window = list[list[CheckedTrigger]]
ONLY_THE_FIRST = "of messages with one key only the first is ever sent, so give each its own"
"""What is to be done where one key stands for two messages."""
CLASH = f"its key is that of an earlier trigger with another recipient or content: {ONLY_THE_FIRST}"


class PublishReport(NamedTuple):
    """What ``publish_many`` did: the request ids that the broker confirmed, and in how many messages they travelled."""

    confirmed: tuple[UUID, ...]
    messages: int


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
                    raise TypeError(NOT_CHECKED)  # noqa: TRY301 - as below
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


class Stream:
    """Triggers on their way out through one carrier."""

    def __init__(
        self,
        carrier: Carrier,
        triggers: Iterable[CheckedTrigger],
        batch_size: int,
        *,
        remembers: bool = False,
        in_order: bool = False,
    ) -> None:
        self._carrier = carrier
        self.source = Source(triggers, remembers=remembers)
        self.batches = batches(self.source, batch_size)
        self.windows = windows_in_order(self.source, batch_size) if in_order else windows(self.batches)

    def receipts(self, window: Window, delivered: Delivered) -> Iterator[tuple[Receipt, ...]]:
        """The receipts of each message of a window that is confirmed.

        Raises:
            PublishError: not all of them are.
        """
        for message in delivered.messages:
            self.source.confirm(receipt.request_id for receipt in message.receipts)
            yield message.receipts
        if delivered.failure is not None:
            raise self.failed(window if delivered.handed_over else [], self._carrier.explain(delivered.failure)) from (
                delivered.failure
            )

    def failed(self, on_their_way: Window, text: str) -> PublishError:
        """The error that tells what became of the triggers that were taken; the broker may have those on their way."""
        pending = self.source.pending()
        perhaps = {one.request_id for batch in on_their_way for one in batch}
        unsent = [request_id for request_id in pending if request_id not in perhaps]
        return PublishError(text, unconfirmed=pending, unsent=unsent)

    def end(self) -> None:
        """All that came is confirmed.

        Raises:
            PublishError: the source failed before its end.
        """
        if (failure := self.source.failure) is not None:
            why = str(failure) if isinstance(failure, InvalidTrigger) else type(failure).__name__
            raise PublishError(f"the source of the triggers failed ({why}); all before that is confirmed") from failure


class Tally:
    """Counts what is confirmed of a stream, for a report or for the error that takes its place."""

    def __init__(self, source: Source, on_progress: Callable[[int], None] | None) -> None:
        self._source = source
        self._on_progress = on_progress
        self._confirmed: list[UUID] = []
        self._messages = 0

    def add(self, receipts: Iterable[Receipt]) -> None:
        """A message is confirmed."""
        self._confirmed += [receipt.request_id for receipt in receipts]
        self._messages += 1
        if self._on_progress is not None:
            self._on_progress(len(self._confirmed))

    def report(self) -> PublishReport:
        """All is confirmed."""
        return PublishReport(tuple(self._confirmed), self._messages)

    def complete(self, error: PublishError) -> None:
        """Let the error tell of all triggers, those included that were never taken from their source."""
        rest = self._source.rest()
        error.confirmed, error.unconfirmed = tuple(self._confirmed), (*error.unconfirmed, *rest)
        error.unsent += rest
