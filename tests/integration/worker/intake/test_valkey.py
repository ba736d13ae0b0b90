"""Messages of Redis and Valkey, when their connection has gone."""

from collections.abc import Iterator
from typing import Any

import pytest
from kombu import Connection, Queue

TRANSPORT = "ajo_worker.intake.valkey:Transport"


@pytest.fixture
def message(valkey_url: str, queue_prefix: str) -> Iterator[Any]:
    """A message in hand, its channel closed and without connections, as kombu leaves it when the server is gone."""
    options = {"unacked_key": f"{queue_prefix}.unacked", "unacked_index_key": f"{queue_prefix}.unacked.index"}
    with Connection(valkey_url, transport=TRANSPORT, transport_options=options) as connection:
        queue = Queue(f"{queue_prefix}.standard", routing_key=f"{queue_prefix}.standard")
        connection.SimpleQueue(queue).put({"a": 1})
        channel = connection.channel()
        taken = queue(channel).get(accept=["json"])
        assert taken is not None
        channel.close()
        channel._disconnect_pools()
        yield taken


@pytest.mark.parametrize("answer", ["ack", "requeue", "reject"])
def test_an_answer_on_a_closed_channel_ends_no_worker(message: Any, answer: str) -> None:
    getattr(message, answer)()
