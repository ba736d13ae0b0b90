"""From triggers to messages: which travel together, and how each message reads."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import Raw
from uuid_utils.compat import uuid7

from ajo_producers.contract import task_message
from ajo_producers.contract.batch import MAX_TRIGGERS, VERSION, Batch, encode_body
from ajo_producers.contract.lanes import Lane, Priority, queue_name
from ajo_producers.publishing.checked import CheckedTrigger

DEFAULT_BATCH_SIZE = 100
MAX_BATCH_BYTES = 1_000_000
"""Where a batch is cut: brokers are at their best well below this. A single larger trigger travels alone."""
WINDOW_MESSAGES = 32
WINDOW_BYTES = 4_000_000
"""How much is sent before its confirms are waited for: one round trip, and one fsync of a quorum queue, for all."""


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


class Outgoing(NamedTuple):
    """A message ready to be sent; sent twice, it is the same message."""

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


def windows(batches: Iterable[list[CheckedTrigger]]) -> Iterator[list[list[CheckedTrigger]]]:
    """Batches that are sent together and then waited for together."""
    window: list[list[CheckedTrigger]] = []
    weight = 0
    for batch in batches:
        more = sum(len(trigger.encoded) for trigger in batch)
        if window and weight + more > WINDOW_BYTES:
            yield window
            window, weight = [], 0
        window.append(batch)
        weight += more
        if len(window) == WINDOW_MESSAGES:
            yield window
            window, weight = [], 0
    if window:
        yield window


def to_message(batch: Sequence[CheckedTrigger], sender: Sender) -> Outgoing:
    """The message of a batch; this is the moment at which its triggers are enqueued."""
    batch_id, enqueued_at = uuid7(), datetime.now(UTC)
    queue = queue_name(sender.queue_prefix, batch[0].lane, batch[0].priority)
    request_ids = [trigger.request_id for trigger in batch]
    task_id = task_message.message_id(batch_id, request_ids)
    summary = task_message.summary([trigger.trigger.campaign for trigger in batch], request_ids)
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
                triggers=tuple(Raw(trigger.encoded) for trigger in batch),
            )
        ),
        receipts=tuple(Receipt(request_id, batch_id, queue, enqueued_at) for request_id in request_ids),
    )
