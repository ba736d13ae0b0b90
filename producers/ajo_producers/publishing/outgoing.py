"""From triggers to messages: which travel together, and how each message reads."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import Raw
from uuid_utils.compat import uuid7

from ajo_producers.contract import task_message
from ajo_producers.contract.addresses import as_compared
from ajo_producers.contract.batch import MAX_TRIGGERS, VERSION, Batch, encode_body
from ajo_producers.contract.lanes import Lane, Priority, queue_name
from ajo_producers.publishing.checked import CheckedTrigger

DEFAULT_BATCH_SIZE = 100
MAX_BATCH_BYTES = 1_000_000
"""Where a batch is cut: brokers are at their best well below this. A single larger trigger travels alone."""
WINDOW_MESSAGES = 32
WINDOW_BYTES = 4_000_000
"""How much is sent before its confirms are waited for: one round trip, and one fsync of a quorum queue, for all."""
WINDOW_TRIGGERS = WINDOW_MESSAGES * DEFAULT_BATCH_SIZE
"""In full messages."""


class Receipt(NamedTuple):
    """What the broker has confirmed: this trigger is on this queue, in this message."""

    request_id: UUID
    batch_id: UUID
    queue: str
    enqueued_at: datetime


class Sender(NamedTuple):
    """What messages say of where they come from, and the prefix of the queues they go to."""

    producer: str
    origin: str
    queue_prefix: str


class Parcel(NamedTuple):
    """A batch with its id and its queue: one message, however often it has to be sent."""

    batch_id: UUID
    queue: str
    triggers: Sequence[CheckedTrigger]


class Outgoing(NamedTuple):
    """A message ready to be sent now; ``receipts`` hold once it is confirmed."""

    batch_id: UUID
    queue: str
    headers: dict[str, Any]
    properties: dict[str, Any]
    body: bytes
    receipts: tuple[Receipt, ...]


def batches(triggers: Iterable[CheckedTrigger], size: int = DEFAULT_BATCH_SIZE) -> Iterator[list[CheckedTrigger]]:
    """Batches for one queue each, in the order given, of at most ``size`` triggers and ``MAX_BATCH_BYTES``."""
    if not 1 <= size <= MAX_TRIGGERS:
        raise ValueError(f"a batch has 1 to {MAX_TRIGGERS} triggers, not {size}")
    open_batches: dict[tuple[Lane, Priority], list[CheckedTrigger]] = {}
    weights: dict[tuple[Lane, Priority], int] = {}
    for trigger in triggers:
        way, weight = (trigger.lane, trigger.priority), len(trigger.encoded)
        batch = open_batches.get(way, [])
        if batch and weights[way] + weight > MAX_BATCH_BYTES:
            yield open_batches.pop(way)
            batch = []
        if not batch:
            open_batches[way], weights[way] = batch, 0
        batch.append(trigger)
        weights[way] += weight
        if len(batch) == size:
            yield open_batches.pop(way)
    yield from open_batches.values()


class Windows:
    """Gathers batches that are sent together and then waited for together."""

    def __init__(self) -> None:
        self._window: list[list[CheckedTrigger]] = []
        self._weight = 0

    def add(self, batch: list[CheckedTrigger]) -> Iterator[list[list[CheckedTrigger]]]:
        """Take a batch; yields each window that is full."""
        more = sum(len(trigger.encoded) for trigger in batch)
        if self._window and self._weight + more > WINDOW_BYTES:
            yield from self.rest()
        self._window.append(batch)
        self._weight += more
        if len(self._window) == WINDOW_MESSAGES:
            yield from self.rest()

    def rest(self) -> Iterator[list[list[CheckedTrigger]]]:
        """Yields the window that is left, if there is one."""
        window, self._window, self._weight = self._window, [], 0
        if window:
            yield window


def windows(batches: Iterable[list[CheckedTrigger]]) -> Iterator[list[list[CheckedTrigger]]]:
    """Batches that are sent together and then waited for together."""
    gathered = Windows()
    for batch in batches:
        yield from gathered.add(batch)
    yield from gathered.rest()


def windows_in_order(
    triggers: Iterable[CheckedTrigger], size: int = DEFAULT_BATCH_SIZE
) -> Iterator[list[list[CheckedTrigger]]]:
    """Windows in which no recipient has triggers in two messages for one queue.

    The broker may refuse a message, whose queue is full, and take a later one of the same window. What it refuses is
    sent again after the window, so a recipient's triggers keep their order only if they are taken or refused together.
    """
    window = _Together(size)
    for trigger in triggers:
        if not window.take(trigger):
            yield window.batches
            window = _Together(size)
            window.take(trigger)
    if window.batches:
        yield window.batches


class _Together:
    """One window: who is in it stays in his message, which may come to have more than ``size`` triggers by that."""

    def __init__(self, size: int) -> None:
        self.batches: list[list[CheckedTrigger]] = []
        self._size = size
        self._weights: list[int] = []
        self._weight = 0
        self._open: dict[tuple[Lane, Priority], int] = {}
        self._places: dict[tuple[Lane, Priority, str], int] = {}

    def take(self, trigger: CheckedTrigger) -> bool:
        """Whether there is room for it; in an empty window there always is."""
        way, weight = (trigger.lane, trigger.priority), len(trigger.encoded)
        names = [(*way, as_compared(recipient.user_id)) for recipient in trigger.trigger.recipients]
        places = {self._places[name] for name in names if name in self._places}
        if self.batches and (len(places) > 1 or self._weight + weight > WINDOW_BYTES):
            return False
        at = next(iter(places), self._open.get(way))
        most = MAX_TRIGGERS if places else self._size
        if at is None or len(self.batches[at]) >= most or self._weights[at] + weight > MAX_BATCH_BYTES:
            if places or len(self.batches) == WINDOW_MESSAGES:
                return False
            at = self._open[way] = len(self.batches)
            self.batches.append([])
            self._weights.append(0)
        self.batches[at].append(trigger)
        self._weights[at] += weight
        self._weight += weight
        self._places.update((name, at) for name in names)
        return True


def to_parcel(batch: Sequence[CheckedTrigger], sender: Sender) -> Parcel:
    """A batch made a message that can be sent."""
    return Parcel(uuid7(), queue_name(sender.queue_prefix, batch[0].lane, batch[0].priority), batch)


def to_message(parcel: Parcel, sender: Sender) -> Outgoing:
    """The message of a batch; this is the moment at which its triggers are enqueued.

    So it is made when the connection stands and the queue is there, and made anew where it is sent again: the wait in
    the broker counts from ``enqueued_at``, and neither connecting nor waiting for a dead connection is the broker's.
    """
    batch_id, queue, triggers = parcel
    enqueued_at = datetime.now(UTC)
    request_ids = [trigger.request_id for trigger in triggers]
    task_id = task_message.message_id(batch_id, request_ids)
    summary = task_message.summary([trigger.trigger.campaign for trigger in triggers], request_ids)
    return Outgoing(
        batch_id=batch_id,
        queue=queue,
        headers=task_message.headers(task_id, origin=sender.origin, summary=summary),
        properties=task_message.properties(task_id),
        body=encode_body(
            Batch(
                version=VERSION,
                batch_id=batch_id,
                producer=sender.producer,
                enqueued_at=enqueued_at,
                triggers=tuple(Raw(trigger.encoded) for trigger in triggers),
            )
        ),
        receipts=tuple(Receipt(request_id, batch_id, queue, enqueued_at) for request_id in request_ids),
    )
