"""No call that was handed to the hub's thread is lost, whatever becomes of the hub."""

from collections.abc import Callable
from typing import Any

import pytest
from ajo_worker.intake.hub_calls import HubCalls


class Hub:
    """Makes its ready calls in one turn, as Celery's does; ``reset`` forgets them."""

    def __init__(self) -> None:
        self.ready: list[Callable[[], Any]] = []
        self.broken = False

    def call_soon(self, call: Callable[[], Any]) -> None:
        self.ready.append(call)

    def reset(self) -> None:
        self.ready.clear()

    def run_once(self) -> None:
        if self.broken:
            raise OSError
        ready, self.ready = self.ready, []
        for call in ready:
            call()


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
def calls(hub: Hub) -> HubCalls:
    calls = HubCalls()
    calls.attach(hub)
    return calls


def test_calls_are_made_in_order_when_the_hub_turns(calls: HubCalls) -> None:
    made: list[int] = []
    for number in range(3):
        calls.soon(lambda number=number: made.append(number))  # type: ignore[misc] # bound now
    assert made == []
    calls.turn()
    assert made == [0, 1, 2]


def test_a_hub_that_was_reset_in_between_loses_no_call(calls: HubCalls, hub: Hub) -> None:
    made: list[str] = []
    calls.soon(lambda: made.append("made"))
    hub.reset()
    calls.turn()
    assert made == ["made"]


def test_a_broken_hub_loses_no_call(calls: HubCalls, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ajo_worker.intake.hub_calls.PAUSE", 0.0)
    made: list[str] = []
    hub.broken = True
    calls.soon(lambda: made.append("made"))
    calls.turn()
    assert made == ["made"]


def test_a_call_that_fails_keeps_no_other_from_being_made(calls: HubCalls) -> None:
    made: list[str] = []
    calls.soon(lambda: 1 / 0)
    calls.soon(lambda: made.append("made"))
    calls.turn()
    assert made == ["made"]


def test_without_a_hub_a_call_is_made_at_once() -> None:
    made: list[str] = []
    HubCalls().soon(lambda: made.append("made"))
    assert made == ["made"]
