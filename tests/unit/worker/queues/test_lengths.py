"""Asking how much waits: over one connection, however many ask."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError

import pytest
from ajo_producers.contract.broker import read_broker
from ajo_worker.queues import lengths
from ajo_worker.queues.lengths import QueueLengths

A_MOMENT = 0.5


def test_two_that_ask_at_the_same_time_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """AMQP's answers tell of no question: whoever reads the other's is told of another queue, or waits in vain."""
    both, together, opened = Barrier(2), list[str](), list[object]()

    class Connection:
        def __init__(self, _: object) -> None:
            opened.append(self)

        def of(self, queue: str) -> int:
            try:
                both.wait(A_MOMENT)
                together.append(queue)
            except BrokenBarrierError:  # nobody else is here
                pass
            return len(queue)

        def close(self) -> None:
            """Nothing to close."""

    monkeypatch.setattr(lengths, "_OfRabbitMQ", Connection)
    asking = QueueLengths(read_broker("amqp://guest:guest@127.0.0.1:1//"))
    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(lambda queue: asking.of([queue]), ["a", "bb"]))
    assert (found, together, len(opened)) == ([{"a": 1}, {"bb": 2}], [], 1)
