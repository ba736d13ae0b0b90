"""When messages are taken that came in whatever part of the hub's turn, on kombu's own hub."""

import os
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from ajo_worker.intake.consumer import AT_ONCE, QuarantiningConsumer
from kombu.asynchronous import Hub


class Stage:
    """A consumer on a hub; ``polled`` is how many messages had been taken whenever the hub had polled."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.taken: list[Any] = []
        self.polled: list[int] = []
        read, self._write = os.pipe()
        os.write(self._write, b".")  # there is always something to read: no poll waits
        self.hub.add_reader(read, lambda: self.polled.append(len(self.taken)))
        consumer = object.__new__(QuarantiningConsumer)
        consumer.hub = self.hub
        consumer.pool = SimpleNamespace(consuming=lambda _: None, came=lambda _: None, take=self.taken.append)
        self._handler = consumer.create_task_handler()

    def comes(self, many: int = 1) -> None:
        """Messages come."""
        for _ in range(many):
            self._handler(SimpleNamespace(delivery_info={"queue": "standard"}, headers={}, properties={}, body=b""))


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr("ajo_worker.intake.consumer.why_unread", lambda _: None)
    stage = Stage()
    yield stage
    stage.hub.close()


CAME: dict[str, Callable[[Stage], Any]] = {
    "while it makes its calls": lambda stage: stage.hub.call_soon(stage.comes),
    "while its timers fire": lambda stage: stage.hub.call_later(0, stage.comes),
    "before": lambda stage: stage.comes(),
}


@pytest.mark.parametrize("came", CAME.values(), ids=CAME)
def test_what_comes_before_the_hub_polls_is_taken_before_it_does(came: Callable[[Stage], Any], stage: Stage) -> None:
    came(stage)
    stage.hub.run_once()
    assert stage.polled == [1]


def test_many_are_taken_some_in_each_turn_and_the_next_turn_is_soon(stage: Stage) -> None:
    stage.hub.call_soon(stage.comes, 3 * AT_ONCE)
    while len(stage.taken) < 3 * AT_ONCE:
        stage.hub.run_once()
        assert bool(stage.hub.timer.queue) == (len(stage.taken) < 3 * AT_ONCE), "a timer ends the next poll"
    assert {AT_ONCE, 2 * AT_ONCE} <= set(stage.polled)
