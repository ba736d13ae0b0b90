"""A message is acknowledged only when all that it made is confirmed; what can't be taken is buried."""

import threading
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from ajo_producers.events.consuming import Consumer
from ajo_producers.events.event import BadEvent, Event, Fault
from ajo_producers.events.portion import Portion
from ajo_producers.events.queue import Taken, events_of
from ajo_producers.events.translation import Translation, translate
from ajo_producers.publishing.checked import CheckedTrigger
from ajo_producers.publishing.errors import PublishError
from ajo_producers.publishing.link import LinkFailure
from ajo_producers.publishing.outgoing import Receipt

from tests.unit.producers.events.mapped import DEFINITIONS, NOW, SHIPPED, event_of, mappings_of

MAPPINGS = mappings_of(SHIPPED)
BAD = BadEvent((Fault("id", "is missing"),))


def translated(event: Event) -> Translation:
    return translate(event, MAPPINGS, DEFINITIONS, NOW)


class Publisher:
    """Confirms so many triggers of each of its calls, and then fails, until it has no more bounds."""

    def __init__(self, *bounds: int) -> None:
        self.bounds, self.sent = list(bounds), list[CheckedTrigger]()

    def publish_stream(self, triggers: Iterable[CheckedTrigger], /) -> Iterator[tuple[Receipt, ...]]:
        bound = self.bounds.pop(0) if self.bounds else None
        for number, trigger in enumerate(triggers):
            if number == bound:
                raise PublishError("not confirmed")
            self.sent.append(trigger)
            yield (Receipt(trigger.request_id, uuid4(), "q", NOW),)


class Queue:
    """A queue that gives what it is told to, a portion at each look, and then has the consumer stop."""

    dead = "q.dead-letters"

    def __init__(self, stop: threading.Event, *portions: list[list[Event | BadEvent]], broken: bool = False) -> None:
        self.portions = [[Taken(tag, None, events) for tag, events in enumerate(one)] for one in portions]
        self.acknowledged, self.buried, self.stop, self.broken = list[int](), list[int](), stop, broken
        self.closed = False

    def take(self, _: float) -> list[Taken]:
        if self.broken:
            raise LinkFailure("broken")
        if not self.portions:
            self.stop.set()
            return []
        return self.portions.pop(0)

    def acknowledge(self, taken: Taken) -> None:
        self.acknowledged.append(taken.tag)

    def bury(self, taken: Taken, faults: Any) -> None:
        assert faults
        assert taken.tag not in self.acknowledged
        self.buried.append(taken.tag)

    def wait(self, _: float) -> None:
        """Nothing comes."""

    def close(self) -> None:
        self.closed = True


def consume(queue: Queue, publisher: Publisher, *more: Queue) -> Consumer:
    others = iter(more)
    consumer = Consumer(lambda: next(others), translated, publisher, queue.stop)  # type: ignore[arg-type, return-value] # as one
    consumer.run(queue)  # type: ignore[arg-type] # used as one
    return consumer


def test_each_message_is_acknowledged_and_a_bad_event_is_buried_with_its_neighbours_sent() -> None:
    queue, publisher = (
        Queue(threading.Event(), [[event_of()], [BAD], [event_of(id="2"), BAD, event_of(id="3")], []]),
        Publisher(),
    )
    consume(queue, publisher)
    assert (queue.acknowledged, queue.buried, len(publisher.sent)) == ([0, 1, 2, 3], [1, 2], 3)
    assert queue.closed


def test_what_is_not_confirmed_is_tried_again_without_what_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ajo_producers.events.consuming.FIRST_PAUSE", 0.0)
    events = [[event_of(id=str(number))] for number in range(3)]
    queue, publisher = Queue(threading.Event(), events), Publisher(1, 0)
    consume(queue, publisher)
    assert [trigger.trigger.trace_id for trigger in publisher.sent] == [None] * 3
    assert len({trigger.request_id for trigger in publisher.sent}) == 3
    assert queue.acknowledged == [0, 1, 2]


def test_at_a_stop_what_is_not_confirmed_stays_unacknowledged() -> None:
    stop = threading.Event()
    queue = Queue(stop, [[event_of(id="1")], [event_of(id="2")], [BAD]])
    queue.wait = lambda _: stop.set()  # type: ignore[method-assign] # the signal comes while it waits
    consume(queue, Publisher(1, 0, 0))
    assert (queue.acknowledged, queue.buried) == ([0, 2], [2])


def test_a_broken_connection_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ajo_producers.events.consuming.FIRST_PAUSE", 0.0)
    stop = threading.Event()
    broken, next_one = Queue(stop, broken=True), Queue(stop, [[event_of()]])
    consume(broken, Publisher(), next_one)
    assert broken.closed
    assert next_one.acknowledged == [0]


def test_a_portion_knows_of_each_event_whether_it_is_done() -> None:
    portion = Portion([event_of(id="1"), BAD, event_of(id="2"), event_of(type="x")], translated)
    assert portion.publish(Publisher(1)) is not None
    assert [portion.is_done(place) for place in range(4)] == [True, True, False, True]
    assert portion.publish(Publisher()) is None
    assert (portion.is_done(2), portion.confirmed, len(portion.refused)) == (True, 2, 2)
    assert portion.counts() == {"taken": 2, "refused": 1, "unmatched": 1}


class Message:
    """A message as py-amqp gives it."""

    def __init__(self, body: str | bytes, headers: dict[str, Any], **properties: Any) -> None:
        self.body, self.headers, self.properties = body, headers, properties


@pytest.mark.parametrize(
    ("message", "kinds"),
    [
        (Message("{}", {}, content_type="application/cloudevents+json"), ["BadEvent"]),
        (Message(b"\xff", {}, content_type="application/cloudevents+json"), ["BadEvent"]),
        (Message("x", {}), ["BadEvent"]),
        (Message("[]", {}, content_type="application/cloudevents-batch+json"), []),
        (Message("{}", {}, content_encoding="gzip"), ["BadEvent"]),
        (Message("{}", {"x-unreadable": "OverflowError"}), ["BadEvent"]),
        (
            Message(
                '{"a": 1}',
                {
                    "ce-specversion": b"1.0",
                    "ce-id": 7,
                    "ce-source": "/a",
                    "ce-type": "t",
                    "ce-time": NOW,
                    "other": object(),
                },
                content_type="application/json",
            ),
            ["Event"],
        ),
        (
            Message("{}", {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/a", "ce-type": "t", "ce-time": 7}),
            ["BadEvent"],
        ),
    ],
)
def test_any_message_has_events_or_bad_ones(message: Message, kinds: list[str]) -> None:
    assert [type(one).__name__ for one in events_of(message)] == kinds


@pytest.mark.parametrize("attribute", ["id", "source", "type", "time", "subject", "dataschema", "traceparent"])
def test_a_message_with_half_a_surrogate_pair_in_an_attribute_is_a_bad_one_and_ends_nothing(attribute: str) -> None:
    attributes = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "order.shipped"}
    headers = {f"ce-{name}": value for name, value in {**attributes, attribute: "\ud800"}.items()}
    message = Message(b"{}", headers, content_type="application/json")
    assert [type(one).__name__ for one in events_of(message)] == ["BadEvent"]
    headers = {f"ce-{name}": value for name, value in attributes.items()}
    message = Message(b"{}", {**headers, "x-foreign": "\ud800"}, content_type="application/json")
    assert [type(one).__name__ for one in events_of(message)] == ["Event"]
