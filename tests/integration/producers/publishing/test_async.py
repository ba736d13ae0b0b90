"""The publisher for asyncio on each broker: every confirmed trigger is on its queue, and what is unknown says so."""

import asyncio
from collections import Counter

import pytest
from ajo_producers import AsyncPublisher, CheckedTrigger, PublishError, Receipt

from tests.integration.producers.publishing.queues import arrived, ids, make_many
from tests.support.proxy import Proxy


async def published(publisher: AsyncPublisher, triggers: list[CheckedTrigger]) -> list[Receipt | BaseException]:
    return await asyncio.gather(*map(publisher.publish, triggers), return_exceptions=True)


async def test_a_thousand_coroutines_share_one_connection_and_each_trigger_arrives_once(
    broker_url: str, queue_prefix: str
) -> None:
    triggers = make_many(800) + make_many(200, lane="high-throughput")
    with Proxy(broker_url) as proxy:
        async with AsyncPublisher(proxy.url, queue_prefix=queue_prefix) as publisher:
            receipts = await published(publisher, triggers)
            report = await publisher.publish_many(more := make_many(50))
        assert proxy.connections == 1
    assert [receipt.request_id for receipt in receipts if isinstance(receipt, Receipt)] == [
        trigger.request_id for trigger in triggers
    ]
    assert set(report.confirmed) == ids(more)
    assert arrived(broker_url, queue_prefix) == Counter(ids(triggers + more))


@pytest.mark.parametrize("answer", [0, 3, 30])
async def test_after_a_connection_that_breaks_each_trigger_is_confirmed_or_says_that_it_may_not_have_arrived(
    broker_url: str, queue_prefix: str, answer: int
) -> None:
    first, triggers = make_many(1), make_many(300)
    with Proxy(broker_url) as proxy:
        async with AsyncPublisher(proxy.url, queue_prefix=queue_prefix) as publisher:
            await publisher.publish(first[0])
            proxy.cut_after(answer)
            told = await published(publisher, triggers)
    found = arrived(broker_url, queue_prefix)
    for trigger, outcome in zip(triggers, told, strict=True):
        if isinstance(outcome, Receipt):
            assert found[trigger.request_id] >= 1
        else:
            assert isinstance(outcome, PublishError)
            assert outcome.unconfirmed == (trigger.request_id,)
            assert not outcome.unsent or found[trigger.request_id] == 0
