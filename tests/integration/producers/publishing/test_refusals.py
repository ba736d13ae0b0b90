"""A broker that answers, and refuses: said in its own words, for exactly those messages that it refused."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from ajo_local.processes import Processes
from ajo_local.valkey import start_valkey
from ajo_producers import Publisher, PublishError
from ajo_producers.contract.lanes import QUORUM_ARGUMENTS
from ajo_producers.publishing import rabbitmq
from kombu import Connection

from tests.integration.producers.publishing.queues import arrived, ids, make, make_many, take
from tests.support.waiting import wait_until


@pytest.fixture
def declare(rabbitmq_url: str, queue_prefix: str) -> Callable[..., str]:
    """Declares the standard lane's queue before the publisher does; returns its name."""

    def declare(**arguments: Any) -> str:
        queue = f"{queue_prefix}.standard"
        with Connection(rabbitmq_url) as connection:
            connection.channel().queue_declare(queue, durable=True, auto_delete=False, arguments=arguments)
        return queue

    return declare


@pytest.fixture
def publisher(rabbitmq_url: str, queue_prefix: str) -> Iterator[Publisher]:
    with Publisher(rabbitmq_url, queue_prefix=queue_prefix) as publisher:
        yield publisher


def delete(url: str, queue: str) -> None:
    with Connection(url) as connection:
        connection.channel().queue_delete(queue)


def test_a_queue_that_was_declared_otherwise_is_told_by_name_and_argument(
    declare: Callable[..., str], publisher: Publisher, rabbitmq_url: str
) -> None:
    queue = declare(**{"x-queue-type": "classic", "x-max-length": 1, "x-overflow": "reject-publish"})
    with pytest.raises(PublishError, match="PRECONDITION_FAILED - inequivalent arg 'x-") as caught:
        publisher.publish(make())
    assert queue in str(caught.value)
    assert take(rabbitmq_url, queue) == []


def test_a_full_queue_refuses_and_takes_again_when_there_is_room(
    declare: Callable[..., str],
    publisher: Publisher,
    rabbitmq_url: str,
    queue_prefix: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A quorum queue lets a few more in than its limit, so some of a hundred are refused, and all of the next."""
    full = {**QUORUM_ARGUMENTS, "x-max-length": 2, "x-overflow": "reject-publish"}
    monkeypatch.setattr(rabbitmq, "QUORUM_ARGUMENTS", full)
    queue = declare(**full)
    triggers, one = make_many(100), make(200)
    with pytest.raises(PublishError, match=r"messages? refused: queue .* takes no more") as caught:
        publisher.publish_many(triggers, batch_size=1)
    told = caught.value
    assert set(told.confirmed) | set(told.unconfirmed) == ids(triggers)
    assert not set(told.confirmed) & set(told.unconfirmed)
    with pytest.raises(PublishError, match=f"1 message refused: queue {queue} takes no more"):
        publisher.publish(one)
    assert arrived(rabbitmq_url, queue_prefix) == Counter(told.confirmed)

    wait_until(lambda: published(publisher, one), what="there is room again")
    assert one.request_id in arrived(rabbitmq_url, queue_prefix)


def published(publisher: Publisher, trigger: Any) -> bool:
    try:
        publisher.publish(trigger)
    except PublishError:
        return False
    return True


def test_a_queue_deleted_under_the_publisher_is_declared_again_and_gets_what_was_confirmed(
    publisher: Publisher, rabbitmq_url: str, queue_prefix: str
) -> None:
    first, triggers = make(), make_many(40)
    queue = publisher.publish(first).queue
    delete(rabbitmq_url, queue)
    report = publisher.publish_many(triggers, batch_size=1)
    assert set(report.confirmed) == ids(triggers)
    assert arrived(rabbitmq_url, queue_prefix) == Counter(ids(triggers))


def test_a_queue_that_is_deleted_again_and_again_gets_a_refusal_and_nothing_is_lost(
    publisher: Publisher, rabbitmq_url: str, queue_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue is gone whenever the publisher has declared it, so every message comes back."""
    send = rabbitmq.RabbitMQLink._send

    def delete_and_send(link: Any, message: Any, deadline: Any) -> None:
        delete(rabbitmq_url, message.queue)
        send(link, message, deadline)

    other, trigger = make(2), make(key="A-1")
    publisher.publish(make(1))
    monkeypatch.setattr(rabbitmq.RabbitMQLink, "_send", delete_and_send)
    with pytest.raises(PublishError, match="NO_ROUTE") as caught:
        publisher.publish_many([other, trigger, trigger], batch_size=1)
    monkeypatch.undo()
    publisher.publish(make(3))
    assert caught.value.confirmed == ()
    assert set(caught.value.unconfirmed) == ids([other, trigger])


def test_on_valkey_each_message_is_confirmed_or_refused_by_itself(valkey_url: str, queue_prefix: str) -> None:
    """One lane's key holds something else: that lane is refused, the other one is confirmed and not sent twice."""
    slow, fast = make_many(3), make_many(3, lane="high-throughput")
    mixed = [trigger for pair in zip(slow, fast, strict=True) for trigger in pair]
    with (
        redis.Redis.from_url(valkey_url) as client,
        Publisher(valkey_url, queue_prefix=queue_prefix) as publisher,
    ):
        publisher.publish(make(99))
        client.set(f"{queue_prefix}.high-throughput", "no list")
        with pytest.raises(PublishError) as caught:
            publisher.publish_many(mixed, batch_size=1)
        client.delete(f"{queue_prefix}.high-throughput")
        assert set(caught.value.confirmed) == ids(slow)
        assert set(caught.value.unconfirmed) == ids(fast)
        text = str(caught.value)
        assert f"3 messages refused: queue {queue_prefix}.high-throughput: WRONGTYPE" in text
        assert "LPUSH" not in text, "a command has the message in it"
        assert set(publisher.publish_many(fast).confirmed) == ids(fast)
    counts = arrived(valkey_url, queue_prefix)
    assert {counts[trigger.request_id] for trigger in mixed} == {1}


def test_a_valkey_without_memory_refuses_in_its_own_words(processes: Processes) -> None:
    url = start_valkey(processes, appendfsync=None).url
    with redis.Redis.from_url(url) as client, Publisher(url) as publisher:
        client.config_set("maxmemory", "1")
        with pytest.raises(PublishError, match=r"1 message refused: queue .*: (OOM )?command not allowed"):
            publisher.publish(make())
        client.config_set("maxmemory", "0")
        publisher.publish(make())
