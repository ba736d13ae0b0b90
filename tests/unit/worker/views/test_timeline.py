"""Whether an attempt of a trigger is under way, told from its rows."""

from typing import Any

from ajo_worker.views.timeline import is_in_flight


def trigger(**columns: Any) -> dict[str, Any]:
    return {"round": 1, "attempts": 1} | columns


def attempt(number: int, round_number: int = 1) -> dict[str, Any]:
    return {"round": round_number, "attempt": number}


def test_between_two_attempts_nothing_is_in_flight() -> None:
    assert not is_in_flight(trigger(attempts=1), [attempt(1)])
    assert not is_in_flight(trigger(attempts=0), [])


def test_an_announced_attempt_without_a_row_is_in_flight() -> None:
    assert is_in_flight(trigger(attempts=2), [attempt(1)])
    assert is_in_flight(trigger(round=2, attempts=1), [attempt(1)]), "the same number in another round"
