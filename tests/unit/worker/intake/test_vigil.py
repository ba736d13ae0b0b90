"""When a consumer counts as gone."""

from ajo_worker.intake.vigil import LOOKS, Idleness, Look
from hypothesis import given
from hypothesis import strategies as st

IDLE = Look(taken=7, room=True, paused=frozenset())


def overlooked(states: list[tuple[Look, dict[str, int]]]) -> list[bool]:
    idleness = Idleness()
    return [idleness.lasts(state) and idleness.overlooked(waiting, state) for state, waiting in states]


def test_messages_that_wait_while_nothing_comes_show_it_after_some_looks() -> None:
    assert overlooked([(IDLE, {"standard": 3})] * 6) == [False, False, True, False, True, False]


def test_empty_queues_show_nothing() -> None:
    assert not any(overlooked([(IDLE, {"standard": 0, "high-throughput": 0})] * 10))


def test_messages_of_paused_lanes_show_nothing() -> None:
    paused = Look(taken=7, room=True, paused=frozenset({"standard"}))
    assert not any(overlooked([(paused, {"standard": 3, "high-throughput": 0})] * 10))


def test_a_worker_that_is_full_shows_nothing() -> None:
    assert not any(overlooked([(Look(7, room=False, paused=frozenset()), {"standard": 3})] * 10))


@given(st.lists(st.integers(0, 5), max_size=30))
def test_a_message_that_comes_between_two_looks_shows_that_consumers_live(waiting: list[int]) -> None:
    states = [
        (Look(number, room=True, paused=frozenset()), {"standard": count}) for number, count in enumerate(waiting)
    ]
    assert not any(overlooked(states))


def test_it_begins_anew_once_it_was_told() -> None:
    found = overlooked([(IDLE, {"standard": 1})] * (1 + 3 * LOOKS))
    assert found.count(True) == 3
