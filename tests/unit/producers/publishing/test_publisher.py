"""The publisher without a broker: what it refuses to begin with, and how it counts time and confirms."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from ajo_producers import CheckedTrigger, InvalidTrigger, Publisher, PublishError, SettingError
from ajo_producers.contract.batch import decode_body
from ajo_producers.publishing import carrier as carriers
from ajo_producers.publishing import link as links
from ajo_producers.publishing.campaign import Campaign
from ajo_producers.publishing.link import Deadline, LinkFailure
from ajo_producers.publishing.outgoing import WINDOW_BYTES, WINDOW_MESSAGES, Outgoing, to_message, to_parcel
from ajo_producers.publishing.rabbitmq import RabbitMQLink
from ajo_producers.publishing.turns import Turn

from tests.support.definitions import ORDER_SHIPPED

URL = "amqp://ada:hunter2@127.0.0.1:1/"


def make(number: int = 1, filling: str = "") -> CheckedTrigger:
    return Campaign(ORDER_SHIPPED).trigger(to=f"p{number}@example.com", context={"orderId": "A", "carrier": filling})


class Clock:
    """Stands for the monotonic clock."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class FakeLink:
    """A link that takes what its script says: how many seconds a confirm takes, or what fails."""

    def __init__(self, clock: Clock, script: Iterator[float | LinkFailure]) -> None:
        self._clock = clock
        self._script = script
        self.windows: list[list[Outgoing]] = []
        self.left: list[float] = []
        self.stood = datetime.max.replace(tzinfo=UTC)

    def prepare(self, queues: Collection[str], deadline: Deadline) -> None:
        assert queues
        deadline.remaining()
        self.stood = datetime.now(UTC)

    def publish(self, messages: Sequence[Outgoing], deadline: Deadline, confirmed: Callable[[Outgoing], None]) -> None:
        self.windows.append(list(messages))
        for message in messages:
            self.left.append(deadline.remaining())
            step = next(self._script, 0.0)
            if isinstance(step, LinkFailure):
                raise step
            self._clock.now += step
            confirmed(message)

    def close(self) -> None:
        pass

    abandon = close


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(links, "monotonic", clock)
    return clock


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Callable[..., list[FakeLink]]:
    """Opens fake links from now on, each with a script of its own; returns those that were opened."""

    def script(*scripts: Sequence[float | LinkFailure]) -> list[FakeLink]:
        found: list[FakeLink] = []
        waiting = iter(scripts)

        def open_link(url: str, deadline: Deadline) -> FakeLink:
            found.append(FakeLink(clock, iter(next(waiting, ()))))
            return found[-1]

        monkeypatch.setattr(carriers, "open_link", open_link)
        return found

    return script


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"queue_prefix": ""}, "the queue prefix must be"),
        ({"queue_prefix": "amq.own"}, "not begin with amq."),
        ({"queue_prefix": "x" * 201}, "the queue prefix must be"),
        ({"queue_prefix": "a b"}, "the queue prefix must be"),
        ({"timeout": 0}, "above 0"),
        ({"timeout": float("nan")}, "above 0"),
        ({"timeout": float("inf")}, "at most 86,400 seconds"),
        ({"producer": ""}, "the producer's name must be text"),
        ({"producer": "x" * 513}, "the producer's name must be text"),
        ({"producer": "\udcff"}, "the producer's name must be text"),
        ({"producer": "a\0"}, "the producer's name must be text"),
    ],
)
def test_what_would_break_every_message_is_refused_at_once(arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingError) as caught:
        Publisher(**{"url": URL, **arguments})
    assert told in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_publisher_shows_no_password() -> None:
    assert repr(Publisher(URL)) == "Publisher(amqp://127.0.0.1:1/, ajo-dispatch)"


def test_waiting_for_other_threads_counts_as_waiting(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, opened: Callable[..., list[FakeLink]]
) -> None:
    """The time limit is one limit, so that a request that publishes knows when it gets its answer."""

    def wait(_: Turn, timeout: float) -> bool:
        assert timeout == 10
        clock.now += 8
        return True

    links_ = opened()
    publisher = Publisher(URL, timeout=10)
    monkeypatch.setattr(Turn, "wait", wait)
    publisher.publish(make())
    assert links_[0].left == [2]


def test_without_its_turn_in_time_a_trigger_is_not_confirmed(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    publisher, trigger = Publisher(URL), make()

    def wait(_: Turn, timeout: float) -> bool:
        clock.now += timeout
        return False

    monkeypatch.setattr(Turn, "wait", wait)
    with pytest.raises(PublishError, match="other threads had the connection") as caught:
        publisher.publish(trigger)
    assert caught.value.unconfirmed == caught.value.unsent == (trigger.request_id,)


def test_what_the_broker_certainly_has_not_is_told_from_what_may_have_arrived(
    opened: Callable[..., list[FakeLink]], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened([0.0] * WINDOW_MESSAGES + [0.0, LinkFailure("lost")], [LinkFailure("lost again")])
    triggers = [make(n) for n in range(3 * WINDOW_MESSAGES)]
    ids = tuple(trigger.request_id for trigger in triggers)
    with pytest.raises(PublishError) as caught:
        Publisher(URL).publish_many(triggers, batch_size=1)
    first, second = WINDOW_MESSAGES + 1, 2 * WINDOW_MESSAGES
    assert (caught.value.confirmed, caught.value.unconfirmed) == (ids[:first], ids[first:])
    assert caught.value.unsent == ids[second:]

    def unreachable(*_: object) -> FakeLink:
        raise LinkFailure("refused")

    monkeypatch.setattr(carriers, "open_link", unreachable)
    for publish in (lambda: Publisher(URL).publish(triggers[0]), lambda: Publisher(URL).publish_many(triggers)):
        with pytest.raises(PublishError) as caught:
            publish()
        assert caught.value.unsent == caught.value.unconfirmed != ()


def test_one_key_for_two_messages_ends_publish_many_before_the_second_is_published(
    opened: Callable[..., list[FakeLink]],
) -> None:
    links_ = opened()

    def keyed(to: str) -> CheckedTrigger:
        return Campaign(ORDER_SHIPPED).trigger(to=to, context={"orderId": "A"}, key="A-1", expires_in=60)

    ann, again, bill = (keyed(to) for to in ("ann@example.com", "ann@example.com", "bill@example.com"))
    with pytest.raises(PublishError, match="its key is that of an earlier") as caught:
        Publisher(URL).publish_many([make(), ann, again, bill, make(2)])
    assert len(caught.value.confirmed) == 3
    assert isinstance(caught.value.__cause__, InvalidTrigger)
    assert "example.com" not in str(caught.value)
    assert len(links_[0].windows) == 1


def test_every_confirm_renews_the_time(opened: Callable[..., list[FakeLink]]) -> None:
    links_ = opened([9.0, 9.0, 9.0])
    report = Publisher(URL, timeout=10).publish_many([make(n) for n in range(3)], batch_size=1)
    assert report.messages == 3
    assert links_[0].left == [10, 10, 10]


def test_what_a_lost_connection_left_unconfirmed_goes_over_one_new_connection(
    opened: Callable[..., list[FakeLink]],
) -> None:
    links_ = opened([0.0, 0.0, LinkFailure("lost")], [0.0])
    publisher, triggers = Publisher(URL), [make(n) for n in range(4)]
    publisher.publish(triggers[0])
    report = publisher.publish_many(triggers[1:], batch_size=1)
    assert report.confirmed == tuple(trigger.request_id for trigger in triggers[1:])
    [first, second] = links_
    assert [message.batch_id for message in second.windows[0]] == [m.batch_id for m in first.windows[1][1:]]


def test_a_new_connection_that_fails_is_not_tried_again_and_the_next_publish_begins_anew(
    opened: Callable[..., list[FakeLink]],
) -> None:
    links_ = opened([LinkFailure("lost")], [0.0])
    publisher = Publisher(URL)
    with pytest.raises(PublishError, match=r"not confirmed by amqp://127.0.0.1:1/ \(time limit 10 s\): lost"):
        publisher.publish(make())
    publisher.publish(make())
    assert len(links_) == 2


def test_triggers_are_enqueued_when_they_are_sent_and_not_when_they_are_gathered(
    opened: Callable[..., list[FakeLink]],
) -> None:
    """The wait in the broker is counted from there, and a slow source must not be taken for a slow broker."""
    links_ = opened()
    taken: list[datetime] = []

    def source() -> Iterator[CheckedTrigger]:
        for number in range(5):
            yield make(number)
            taken.append(datetime.now(UTC))

    receipts = list(Publisher(URL).publish_stream(source(), batch_size=2))
    assert [len(window) for window in links_[0].windows] == [3]
    assert all(receipt.enqueued_at >= taken[-1] for message in receipts for receipt in message)


PUBLISHING: dict[str, Callable[[Publisher, list[CheckedTrigger]], list[datetime]]] = {
    "publish": lambda publisher, triggers: [publisher.publish(trigger).enqueued_at for trigger in triggers],
    "publish_stream": lambda publisher, triggers: [
        receipt.enqueued_at for message in publisher.publish_stream(triggers) for receipt in message
    ],
    "publish_many": lambda publisher, triggers: [
        decode_body(message.body).enqueued_at
        for _ in publisher.publish_many(triggers).confirmed[:1]
        for message in publisher._carrier._link.windows[0]  # type: ignore[union-attr] # a fake link
    ],
}


@pytest.mark.parametrize("way", PUBLISHING)
def test_connecting_and_declaring_queues_are_not_the_brokers_time(
    way: str, opened: Callable[..., list[FakeLink]]
) -> None:
    links_ = opened()
    enqueued = PUBLISHING[way](Publisher(URL), [make()])
    assert enqueued
    assert all(moment >= links_[0].stood for moment in enqueued)


def test_what_is_sent_again_is_the_same_message_enqueued_when_the_new_connection_stands(
    opened: Callable[..., list[FakeLink]],
) -> None:
    links_ = opened([0.0, LinkFailure("lost")], [])
    publisher, first, again = Publisher(URL), make(1), make(2)
    publisher.publish(first)
    receipt = publisher.publish(again)
    lost, came = links_[0].windows[1][0], links_[1].windows[0][0]
    assert (came.batch_id, came.queue, came.properties) == (lost.batch_id, lost.queue, lost.properties)
    assert [bytes(raw) for raw in decode_body(came.body).triggers] == [again.encoded]
    assert decode_body(came.body).enqueued_at == receipt.enqueued_at >= links_[1].stood
    assert decode_body(lost.body).enqueued_at < links_[1].stood
    assert receipt == came.receipts[0]


@pytest.mark.parametrize(
    ("count", "filling", "windows"),
    [
        (WINDOW_MESSAGES, "", [WINDOW_MESSAGES]),
        (WINDOW_MESSAGES + 1, "", [WINDOW_MESSAGES, 1]),
        (5, "x" * 150_000, [5]),
        (60, "x" * 150_000, [26, 26, 8]),
    ],
)
def test_a_window_has_its_most_messages_and_bytes(
    count: int, filling: str, windows: list[int], opened: Callable[..., list[FakeLink]]
) -> None:
    links_ = opened()
    Publisher(URL).publish_many((make(n, filling) for n in range(count)), batch_size=1)
    assert [len(window) for window in links_[0].windows] == windows
    assert all(sum(len(message.body) for message in window) < WINDOW_BYTES * 1.01 for window in links_[0].windows)


def test_two_returned_messages_with_one_id_are_both_refused() -> None:
    """RabbitMQ may return both before it acknowledges them together; the second one is no confirm."""
    link = RabbitMQLink.__new__(RabbitMQLink)
    confirmed: list[Outgoing] = []
    trigger = make()
    sender = Publisher(URL)._carrier.sender
    message = to_message(to_parcel([trigger], sender), sender)
    returned = SimpleNamespace(properties={"correlation_id": str(trigger.request_id)})
    link._waiting, link._returned, link._refused = {1: message, 2: message, 3: message}, {}, []
    link._confirmed = confirmed.append
    for _ in range(2):
        link._on_return(SimpleNamespace(reply_text="NO_ROUTE"), "", "q", returned)
    link._on_ack(2, multiple=True)
    assert (confirmed, link._refused) == ([], ["queue q: NO_ROUTE"] * 2)
    link._on_ack(3, multiple=False)
    assert confirmed == [message]
    link._on_ack(3, multiple=False)
    assert confirmed == [message], "an acknowledgement that comes again confirms nothing"
