"""A broker that fails: what is not confirmed is told, within the time limit, and nothing that was confirmed is lost."""

import socket
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from ajo_local.ports import LOOPBACK
from ajo_producers import CheckedTrigger, Publisher, PublishError
from ajo_producers.contract.batch import decode_body
from ajo_producers.publishing import carrier as carrier_module
from ajo_producers.publishing.connecting import open_link
from ajo_producers.publishing.link import Deadline, Link
from ajo_producers.publishing.outgoing import WINDOW_MESSAGES

from tests.integration.producers.publishing.queues import arrived, as_bytes, ids, make, make_many, take
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until

SHORT = 0.5
"""A time limit for tests in which it passes."""
SCHEMES = ["amqp", "redis"]


@pytest.fixture
def proxy(broker_url: str) -> Iterator[Proxy]:
    with Proxy(broker_url) as proxy:
        yield proxy


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port whose server takes connections and never says a word."""
    with socket.create_server((LOOPBACK, 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server((LOOPBACK, 0)) as server:
        return int(server.getsockname()[1])


def cut_once_open(proxy: Proxy, answer: int) -> Callable[..., Link]:
    """Opens a link, and has its connection cut after so many bytes of the broker's next answers."""

    def open_and_cut(url: str, deadline: Deadline) -> Link:
        link = open_link(url, deadline)
        proxy.cut_after(answer)
        return link

    return open_and_cut


def refused(publisher: Publisher, trigger: CheckedTrigger) -> str:
    """The text with which publishing ends; the trigger is named as unconfirmed."""
    with pytest.raises(PublishError) as caught:
        publisher.publish(trigger)
    assert caught.value.unconfirmed == (trigger.request_id,)
    assert caught.value.confirmed == ()
    assert caught.value.__cause__ is not None
    return str(caught.value)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_broker_that_is_down_is_told_with_its_address_and_the_reason(scheme: str, closed_port: int) -> None:
    with Publisher(f"{scheme}://ada:hunter2@{LOOPBACK}:{closed_port}/") as publisher:
        text = refused(publisher, make())
    assert f"{scheme}://{LOOPBACK}:{closed_port}" in text
    assert "refused" in text
    assert "hunter2" not in text


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_server_that_never_answers_ends_in_an_error(scheme: str, silent_port: int) -> None:
    triggers = make_many(3)
    with Publisher(f"{scheme}://{LOOPBACK}:{silent_port}/", timeout=SHORT) as publisher:
        text = refused(publisher, make())
        with pytest.raises(PublishError) as caught:
            publisher.publish_many(iter(triggers), batch_size=1)
    assert "time limit 0.5 s" in text
    assert caught.value.confirmed == ()
    assert set(caught.value.unconfirmed) == ids(triggers)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_host_without_an_address_is_told(scheme: str) -> None:
    with Publisher(f"{scheme}://nowhere.invalid/") as publisher:
        assert "nowhere.invalid" in refused(publisher, make())


def test_a_wrong_password_is_told_and_not_shown(broker_url: str) -> None:
    parts = urlsplit(broker_url)
    url = parts._replace(netloc=f"guest:hunter2@{parts.hostname}:{parts.port}").geturl()
    with Publisher(url) as publisher:
        text = refused(publisher, make())
        assert "hunter2" not in text + repr(publisher)
    assert "refused" in text.lower() or "password" in text.lower()


def test_after_a_lost_connection_the_next_publish_opens_another_one(proxy: Proxy, queue_prefix: str) -> None:
    triggers = make_many(3)
    with Publisher(proxy.url, queue_prefix=queue_prefix) as publisher:
        for number, trigger in enumerate(triggers, 1):
            publisher.publish(trigger)
            assert proxy.connections == number
            proxy.cut()
    assert arrived(proxy.url, queue_prefix) == Counter(ids(triggers))


def test_what_was_sent_and_not_confirmed_is_named_and_may_be_published_again(
    proxy: Proxy, broker_url: str, queue_prefix: str
) -> None:
    """The broker has the message and its confirm is lost: the one case in which a copy is published."""
    trigger = make()
    with Publisher(proxy.url, queue_prefix=queue_prefix, timeout=SHORT) as publisher:
        publisher.publish(make(2))
        proxy.freeze()
        text = refused(publisher, trigger)
        proxy.thaw()
        publisher.publish(trigger)
    assert "no confirm" in text or "Timeout" in text
    assert arrived(broker_url, queue_prefix)[trigger.request_id] == 2


def test_of_a_window_cut_half_way_exactly_the_answered_are_confirmed_and_the_others_sent_again(
    valkey_url: str, queue_prefix: str
) -> None:
    triggers = make_many(8)
    with Proxy(valkey_url) as proxy, Publisher(proxy.url, queue_prefix=queue_prefix) as publisher:
        publisher.publish(make(99))
        proxy.cut_after(len(":2\r\n:3\r\n:4\r\n:5"))  # the replies to LPUSH: the new length of the list
        report = publisher.publish_many(triggers, batch_size=1)
        assert proxy.connections == 2
    assert len(report.confirmed) == 8
    assert set(report.confirmed) == ids(triggers)
    counts = arrived(valkey_url, queue_prefix)
    times = [counts[trigger.request_id] for trigger in triggers]
    assert times[:4] == [1, 1, 1, 2], "three were answered; the server had done the fourth"
    assert set(times[4:]) <= {1, 2}, "how many more it had read when the line was cut is its own business"


def test_of_a_window_cut_half_way_on_a_new_connection_exactly_the_answered_are_confirmed(
    valkey_url: str, queue_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    triggers = make_many(8)
    with Proxy(valkey_url) as proxy, Publisher(proxy.url, queue_prefix=queue_prefix) as publisher:
        monkeypatch.setattr(carrier_module, "open_link", cut_once_open(proxy, len(":1\r\n:2\r\n:3\r\n:4")))
        with pytest.raises(PublishError) as caught:
            publisher.publish_many(triggers, batch_size=1)
    assert caught.value.confirmed == tuple(trigger.request_id for trigger in triggers[:3])
    assert caught.value.unconfirmed == tuple(trigger.request_id for trigger in triggers[3:])
    assert ids(triggers[:3]) <= set(arrived(valkey_url, queue_prefix))


def test_what_was_not_confirmed_in_a_window_is_all_named(
    proxy: Proxy, broker_url: str, queue_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    triggers = make_many(WINDOW_MESSAGES * 2 + 5)
    with Publisher(proxy.url, queue_prefix=queue_prefix) as publisher:
        publisher.publish_many(triggers[:1])
        publisher.close()
        monkeypatch.setattr(carrier_module, "open_link", cut_once_open(proxy, 2))
        with pytest.raises(PublishError) as caught:
            publisher.publish_many(triggers, batch_size=1)
    told = caught.value
    assert told.confirmed == ()
    assert told.unconfirmed == tuple(trigger.request_id for trigger in triggers)
    assert set(arrived(broker_url, queue_prefix)) <= ids(triggers)


@pytest.mark.parametrize("again", [False, True], ids=["first", "again"])
def test_the_time_of_a_broker_that_lets_nobody_in_is_not_time_in_its_queue(
    again: bool, proxy: Proxy, broker_url: str, queue_prefix: str
) -> None:
    """The wait in the broker is counted from ``enqueued_at``: when the message goes out on a connection that stands."""
    with Publisher(proxy.url, queue_prefix=queue_prefix) as publisher, ThreadPoolExecutor() as pool:
        if again:
            publisher.publish(make(1))
            proxy.cut()
        proxy.freeze()
        published = pool.submit(publisher.publish, make(2))
        wait_until(lambda: proxy.connections == 1 + again, what="the publisher connects")
        let_in = datetime.now(UTC)
        proxy.thaw()
        receipt = published.result()
    assert receipt.enqueued_at >= let_in
    *_, message = take(broker_url, receipt.queue)
    assert decode_body(as_bytes(message.body)).enqueued_at == receipt.enqueued_at


def test_publishing_goes_on_once_the_broker_is_back(proxy: Proxy, broker_url: str, queue_prefix: str) -> None:
    first, second = make(1), make(2)
    with Publisher(proxy.url, queue_prefix=queue_prefix, timeout=SHORT) as publisher:
        proxy.freeze()
        refused(publisher, first)
        proxy.thaw()
        wait_until(lambda: publisher.publish(second), what="the second is confirmed")
    assert arrived(broker_url, queue_prefix)[second.request_id] == 1
