"""Queues are consumed from unless their lane is paused or too much of them is in hand."""

from ajo_worker.intake.taps import Taps

STANDARD, URGENT, OTHER = "ajo.standard", "ajo.standard.urgent", "ajo.high-throughput"


class Consumer:
    """Which queues it consumes from."""

    def __init__(self) -> None:
        self.open = {STANDARD, URGENT, OTHER, f"{OTHER}.urgent"}
        self.connection_errors = (ConnectionError,)

    def cancel_task_queue(self, queue: str) -> None:
        self.open.remove(queue)

    def add_task_queue(self, queue: str) -> None:
        assert queue not in self.open
        self.open.add(queue)


def test_a_queue_is_closed_as_long_as_there_is_any_reason() -> None:
    consumer, taps = Consumer(), Taps("ajo", ["standard", "high-throughput"])
    taps.attach(consumer)
    every = set(consumer.open)
    taps.weigh(frozenset({STANDARD}))
    assert every - consumer.open == {STANDARD}
    assert taps.closed == {"standard"}
    taps.turn(frozenset({"standard"}))
    assert every - consumer.open == {STANDARD, URGENT}
    taps.weigh(frozenset())
    assert every - consumer.open == {STANDARD, URGENT}
    taps.turn(frozenset())
    assert consumer.open == every
    assert not taps.closed


def test_what_is_closed_before_there_is_a_consumer_is_closed_with_the_first_one() -> None:
    consumer, taps = Consumer(), Taps("ajo", ["standard", "high-throughput"])
    taps.weigh(frozenset({OTHER}))
    taps.attach(consumer)
    assert OTHER not in consumer.open
    assert STANDARD in consumer.open
