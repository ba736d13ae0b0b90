"""The queue of a message is the one that it was consumed from, whatever its sender wrote."""

from typing import Any

import pytest
from ajo_worker.intake.application import queues
from ajo_worker.intake.receipt import queue_of
from ajo_worker.settings import Settings
from kombu import Connection, Consumer, Exchange

from tests.support.waiting import DEADLINE_SECONDS


@pytest.mark.parametrize("routing_key", ["a\0b", "x\udcff", "orders.eu"])
def test_a_message_that_came_by_another_exchange_is_of_the_lanes_queue(
    rabbitmq_url: str, queue_prefix: str, routing_key: str
) -> None:
    first = queues(Settings(broker_url=rabbitmq_url, queue_prefix=queue_prefix))[0]
    came = list[Any]()
    with Connection(rabbitmq_url) as connection, connection.channel() as channel:
        others = Exchange(f"{queue_prefix}.others", type="fanout", auto_delete=True)(channel)
        others.declare()
        queue = first(channel)
        queue.declare()
        queue.bind_to(others)
        others.publish(others.Message("{}", content_type="application/json"), routing_key=routing_key)
        with Consumer(channel, [first], accept=["json"], on_message=came.append):
            while not came:
                connection.drain_events(timeout=DEADLINE_SECONDS)
        came[0].ack()
        queue.delete()
    assert queue_of(came[0]) == first.name
