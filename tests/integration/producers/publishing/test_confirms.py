"""Publishing to each broker: what is confirmed is on its queue, once, whoever publishes it and in whatever number."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from ajo_producers import CheckedTrigger, Publisher, PublishError
from ajo_producers.publishing.outgoing import WINDOW_MESSAGES

from tests.integration.producers.publishing.queues import arrived, batches, ids, make, make_many
from tests.support.proxy import Proxy


@pytest.fixture
def publisher(broker_url: str, queue_prefix: str) -> Iterator[Publisher]:
    with Publisher(broker_url, queue_prefix=queue_prefix, producer="shop") as publisher:
        yield publisher


@pytest.mark.parametrize("lane", ["standard", "high-throughput"])
def test_a_confirmed_trigger_is_on_its_lanes_queue(
    lane: str, publisher: Publisher, broker_url: str, queue_prefix: str
) -> None:
    trigger = make(lane=lane)  # type: ignore[arg-type] # the lanes' names
    receipt = publisher.publish(trigger)
    assert (receipt.request_id, receipt.queue) == (trigger.request_id, f"{queue_prefix}.{lane}")
    assert batches(broker_url, queue_prefix, [trigger.lane]) == [[trigger.request_id]]


def test_many_travel_in_batches_of_one_lane_and_every_one_is_confirmed(
    publisher: Publisher, broker_url: str, queue_prefix: str
) -> None:
    slow, fast = make_many(25), make_many(12, lane="high-throughput")
    mixed = [trigger for pair in zip(slow, fast, strict=False) for trigger in pair] + slow[12:]
    told: list[int] = []
    report = publisher.publish_many(mixed, batch_size=10, on_progress=told.append)
    assert set(report.confirmed) == ids(mixed)
    assert len(report.confirmed) == 37
    assert report.messages == len(told) == 5
    assert told == sorted(told)
    assert told[-1] == 37
    found = batches(broker_url, queue_prefix, ["standard"]), batches(broker_url, queue_prefix, ["high-throughput"])
    assert [sorted(map(len, lane)) for lane in found] == [[5, 10, 10], [2, 10]]
    assert [request_id for batch in found[0] for request_id in batch] == [trigger.request_id for trigger in slow]


def test_more_than_one_window_arrives_once_and_complete(
    publisher: Publisher, broker_url: str, queue_prefix: str
) -> None:
    triggers = make_many(WINDOW_MESSAGES * 3 + 1)
    report = publisher.publish_many(triggers, batch_size=1)
    assert report.messages == len(triggers)
    assert arrived(broker_url, queue_prefix) == Counter(ids(triggers))


def test_a_stream_yields_the_receipts_of_each_message(publisher: Publisher, queue_prefix: str) -> None:
    triggers = make_many(7)
    receipts = list(publisher.publish_stream(iter(triggers), batch_size=3))
    assert [len(message) for message in receipts] == [3, 3, 1]
    assert [receipt.request_id for message in receipts for receipt in message] == [t.request_id for t in triggers]
    assert len({receipt.batch_id for message in receipts for receipt in message}) == 3


def test_a_trigger_published_twice_is_two_messages_with_one_id(
    publisher: Publisher, broker_url: str, queue_prefix: str
) -> None:
    trigger = make(key="A-1")
    report = publisher.publish_many([trigger, trigger], batch_size=1)
    assert report.confirmed == (trigger.request_id, trigger.request_id)
    assert arrived(broker_url, queue_prefix) == {trigger.request_id: 2}


def test_nothing_to_publish_is_no_fault_and_no_message(publisher: Publisher) -> None:
    assert publisher.publish_many([]) == ((), 0)


@pytest.mark.parametrize("wrong", [ValueError("no more"), "a row that is no trigger"])
def test_what_came_before_a_fault_of_the_source_is_published_and_reported(
    wrong: Exception | str, publisher: Publisher, broker_url: str, queue_prefix: str
) -> None:
    triggers = make_many(5)

    def source() -> Iterator[CheckedTrigger]:
        yield from triggers
        if isinstance(wrong, Exception):
            raise wrong
        yield wrong  # type: ignore[misc] # what is to be found

    with pytest.raises(PublishError, match="source of the triggers failed") as caught:
        publisher.publish_many(source(), batch_size=2)
    assert set(caught.value.confirmed) == ids(triggers)
    assert caught.value.unconfirmed == ()
    assert isinstance(caught.value.__cause__, ValueError if isinstance(wrong, Exception) else TypeError)
    assert arrived(broker_url, queue_prefix) == Counter(ids(triggers))


def test_threads_share_one_publisher_and_one_connection(broker_url: str, queue_prefix: str) -> None:
    ones = [make_many(20) for _ in range(4)]
    batch = make_many(300)
    with Proxy(broker_url) as proxy, Publisher(proxy.url, queue_prefix=queue_prefix) as publisher:

        def one_by_one(triggers: list[CheckedTrigger]) -> list[object]:
            return [publisher.publish(trigger).request_id for trigger in triggers]

        with ThreadPoolExecutor(5) as pool:
            many = pool.submit(publisher.publish_many, batch, batch_size=7)
            single = list(pool.map(one_by_one, ones))
        assert len(many.result().confirmed) == 300
        assert proxy.connections == 1
    assert [set(found) for found in single] == [ids(triggers) for triggers in ones]
    everything = ids(batch).union(*map(ids, ones))
    assert arrived(broker_url, queue_prefix) == Counter(everything)


def test_a_closed_publisher_opens_again_when_used(publisher: Publisher, broker_url: str, queue_prefix: str) -> None:
    first, second = make(1), make(2)
    publisher.publish(first)
    publisher.close()
    publisher.close()
    publisher.publish(second)
    assert arrived(broker_url, queue_prefix) == Counter(ids([first, second]))
