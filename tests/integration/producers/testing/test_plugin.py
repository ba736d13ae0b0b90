"""The fixtures that users have: an outbox is what its transaction sees, a simulator takes calls."""

from collections.abc import Callable
from uuid import uuid4

import asyncpg
import httpx2
import pytest
from ajo_producers import CheckedTrigger, outbox
from ajo_producers.testing import OutboxReader, RunningSimulator
from sqlalchemy.ext.asyncio import create_async_engine

from tests.integration.producers.outbox.conftest import order_shipped, shop_url
from tests.integration.simulator.calls import UNITARY, Api, payload

__all__ = ["order_shipped", "shop_url"]
SLOW = 'seed = 1\n[[fault]]\nshare = 1.0\nkind = "status"\nstatus = 503\n'


async def test_what_was_rolled_back_is_not_in_the_outbox(
    shop_url: str, order_shipped: Callable[..., CheckedTrigger], ajo_outbox: OutboxReader
) -> None:
    connection = await asyncpg.connect(shop_url)
    rolled_back = connection.transaction()
    await rolled_back.start()
    await outbox.add(connection, order_shipped("A-1"))
    (await ajo_outbox(connection)).one(context={"orderId": "A-1"})
    await rolled_back.rollback()
    async with connection.transaction():
        await outbox.add_many(connection, [order_shipped("A-2"), order_shipped("A-3", to="bob@example.com")])
    waiting = await ajo_outbox(connection)
    assert [trigger.context["orderId"] for trigger in waiting] == ["A-2", "A-3"]
    with pytest.raises(AssertionError, match="none of the 2 in the outbox fits"):
        waiting.one(context={"orderId": "A-1"})
    await connection.close()

    engine = create_async_engine(shop_url.replace("postgresql:", "postgresql+asyncpg:"))
    async with engine.connect() as alchemy:
        (await ajo_outbox(alchemy)).exactly(2)
    await engine.dispose()


def test_a_session_of_another_kind_is_refused(ajo_outbox: OutboxReader) -> None:
    with pytest.raises(TypeError, match="must be a Session or Connection"):
        ajo_outbox(object())


def test_a_simulator_takes_calls_and_says_what_it_accepted(ajo_simulator: RunningSimulator) -> None:
    request_id = str(uuid4())
    with httpx2.Client() as client:
        api = Api.at(ajo_simulator.url, ajo_simulator.journal, client)
        ajo_simulator.play(SLOW)
        refused = client.post(f"{api.url}{UNITARY}", json=payload(request_id), headers=api.headers)
        ajo_simulator.play("seed = 1\n")
        with pytest.raises(AssertionError, match="not accepted within 0 s"):
            ajo_simulator.wait_for(request_id, seconds=0)
        accepted = client.post(f"{api.url}{UNITARY}", json=payload(request_id), headers=api.headers)
    assert (refused.status_code, accepted.status_code) == (503, 202)
    ajo_simulator.wait_for(request_id)
    assert ajo_simulator.accepted().count(request_id) == 1
