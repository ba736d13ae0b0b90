"""Looking into a broker's queues, as something that is not our worker does it; and triggers to put there."""

from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from typing import Any
from uuid import UUID

from ajo_producers import CheckedTrigger
from ajo_producers.contract.batch import decode_body, decode_trigger
from ajo_producers.contract.lanes import LANES, Lane, queue_name
from ajo_producers.publishing.campaign import Campaign
from kombu import Connection

from tests.support.definitions import ORDER_SHIPPED, definition

CAMPAIGNS: dict[Lane, Campaign] = {
    "standard": Campaign(ORDER_SHIPPED),
    "high-throughput": Campaign(
        definition(name="flash-sale", lane="high-throughput", recipient_type="external", profile={})
    ),
}


def make(number: int = 1, *, lane: Lane = "standard", **more: Any) -> CheckedTrigger:
    """A trigger for an invented person."""
    given = {"to": f"person{number}@example.com", "context": {"orderId": f"A-{number}"}, **more}
    return CAMPAIGNS[lane].trigger(**given)


def make_many(count: int, *, lane: Lane = "standard") -> list[CheckedTrigger]:
    """As many different triggers."""
    return [make(number, lane=lane) for number in range(count)]


def ids(triggers: Iterable[CheckedTrigger]) -> set[UUID]:
    """Their request ids."""
    return {trigger.request_id for trigger in triggers}


def take(url: str, queue: str) -> list[Any]:
    """All messages of a queue, taken out of it; none if there is no such queue."""
    with Connection(url) as connection, closing(connection.channel()) as channel:
        try:
            return list(iter(lambda: channel.basic_get(queue, no_ack=True), None))
        except connection.channel_errors:
            return []


def batches(url: str, prefix: str, lanes: Iterable[Lane] = LANES) -> list[list[UUID]]:
    """The request ids of each message of the lanes, taken out."""
    bodies = [decode_body(as_bytes(message.body)) for lane in lanes for message in take(url, queue_name(prefix, lane))]
    return [[decode_trigger(raw).request_id for raw in body.triggers] for body in bodies]


def arrived(url: str, prefix: str) -> Counter[UUID]:
    """How often each request id lies in the queues, taken out."""
    return Counter(request_id for batch in batches(url, prefix) for request_id in batch)


def as_bytes(body: bytes | str) -> bytes:
    """A message's body; kombu gives text on Valkey."""
    return body.encode() if isinstance(body, str) else bytes(body)
