"""What is published is kept and asked for; a failing assertion tells what there was instead."""

import asyncio
import threading

import pytest
from ajo_producers.publishing.async_publisher import AsyncPublisher
from ajo_producers.publishing.campaign import Campaigns
from ajo_producers.publishing.checked import CheckedTrigger
from ajo_producers.publishing.errors import PublishError
from ajo_producers.publishing.publisher import Publisher
from ajo_producers.testing import MemoryAsyncPublisher, MemoryPublisher, PublishedTriggers

from tests.unit.producers.events.mapped import DEFINITIONS

CAMPAIGNS = Campaigns(DEFINITIONS)


def shipped(number: int = 1, to: str = "ada@example.com") -> CheckedTrigger:
    context = {"orderId": f"A-{number}", "customer": {"firstName": "Ada"}}
    return CAMPAIGNS["order-shipped"].trigger(to=to, context=context, key=f"A-{number}")


def test_any_publisher_is_kept_from_the_broker(published_triggers: PublishedTriggers) -> None:
    """The fixture is the plugin's, as users have it."""
    made_before = Publisher("amqp://elsewhere.invalid/")
    made_before.publish(shipped(1))
    with Publisher.from_env() as publisher:
        publisher.publish_many([shipped(2), shipped(3)])
        list(publisher.publish_stream([shipped(4)]))

    async def publish() -> None:
        async with AsyncPublisher.from_env() as publisher:
            await asyncio.gather(*(publisher.publish(shipped(number)) for number in range(5, 20)))

    asyncio.run(publish())
    threads = [threading.Thread(target=made_before.publish, args=(shipped(number),)) for number in range(20, 30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(published_triggers) == 29
    assert published_triggers.one(context={"orderId": "A-7"}).context["eta"] == "in the next days"


def test_publishers_in_memory_are_given_to_what_is_tested() -> None:
    publisher = MemoryPublisher()
    receipt = publisher.publish(shipped())
    assert publisher.published.one(campaign="order-shipped", to="ada@example.com").request_id == receipt.request_id
    publisher.close()

    async def publish() -> PublishedTriggers:
        async with MemoryAsyncPublisher() as publisher:
            await publisher.publish(shipped())
            await publisher.publish_many([shipped(2)])
        return publisher.published

    asyncio.run(publish()).exactly(2)


def test_a_copy_stands_once_as_it_is_sent_once() -> None:
    publisher = MemoryPublisher()
    publisher.publish_many([shipped(), shipped()])
    publisher.publish(shipped())
    assert (len(publisher.published), publisher.published.copies) == (1, 2)
    publisher.published.clear()
    assert (len(publisher.published), publisher.published.copies) == (0, 0)


def test_a_broker_that_is_away_fails_as_the_real_one_does() -> None:
    publisher = MemoryPublisher()
    with publisher.published.broker_away(), pytest.raises(PublishError) as caught:
        publisher.publish(shipped())
    assert caught.value.unsent == (shipped().request_id,)
    publisher.publish(shipped())
    publisher.published.one()


@pytest.fixture
def triggers() -> PublishedTriggers:
    publisher = MemoryPublisher()
    publisher.publish_many([shipped(1), shipped(2), shipped(3, "bob@example.com")])
    return publisher.published


@pytest.mark.parametrize(
    ("criteria", "count"),
    [
        ({}, 3),
        ({"campaign": "order-shipped"}, 3),
        ({"to": "bob@example.com"}, 1),
        ({"user_id": "ada@example.com", "context": {"orderId": "A-2"}}, 1),
        ({"context": {"customer": {"firstName": "Ada"}}}, 3),
        ({"context": {"customer": {"firstName": "Eve"}}}, 0),
        ({"request_id": str(shipped(1).request_id)}, 1),
        ({"request_id": shipped(1).request_id}, 1),
        ({"channel_data": {"emailAddress": "bob@example.com"}, "profile": {}}, 1),
        ({"trace_id": None, "expires_at": None, "occurred_at": None}, 3),
        ({"campaign": "password-reset"}, 0),
    ],
)
def test_criteria_choose(triggers: PublishedTriggers, criteria: dict[str, object], count: int) -> None:
    assert len(triggers.exactly(count, **criteria)) == count
    with pytest.raises(AssertionError):
        triggers.exactly(count + 1, **criteria)


def test_failures_tell_what_there_was_instead(triggers: PublishedTriggers) -> None:
    with pytest.raises(AssertionError) as none_fits:
        triggers.one(campaign="order-shipped", to="eve@example.com", context={"orderId": "A-1", "no": 1})
    assert str(none_fits.value).splitlines()[:3] == [
        "expected one trigger with campaign='order-shipped', to='eve@example.com', "
        "context={'orderId': 'A-1', 'no': 1}, and none of the 3 published fits:",
        "  1. order-shipped to ada@example.com, context {'orderId': 'A-1', 'customer': {'firstName': 'Ada'}, "
        "'eta': 'in the next days'}",
        "     to is 'ada@example.com', not 'eve@example.com'; context.no is missing",
    ]
    with pytest.raises(AssertionError, match="and 2 of the 3 published fits") as two_fit:
        triggers.one(to="ada@example.com")
    assert str(two_fit.value).count("<- fits") == 2
    with pytest.raises(AssertionError, match="expected no trigger with to="):
        triggers.none(to="bob@example.com")
    with pytest.raises(AssertionError, match="expected one trigger of any kind, and nothing was published"):
        PublishedTriggers().one()
    triggers.none(campaign="password-reset")


def test_a_criterion_that_is_none_is_refused_and_never_silently_true(triggers: PublishedTriggers) -> None:
    with pytest.raises(TypeError, match="no criterion is called 'recipient'"):
        triggers.none(recipient="ada@example.com")
