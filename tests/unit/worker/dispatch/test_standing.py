"""What most of the time of the triggers in hand goes into."""

from contextlib import ExitStack, suppress
from unittest.mock import Mock

from ajo_worker.dispatch.standing import Standing


class Clock:
    """Time that stands still until it is told otherwise."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_phase_with_most_trigger_seconds_since_the_last_time_is_named_by_lane() -> None:
    clock = Clock()
    standing = Standing(clock, Mock(), Mock())
    assert standing.mostly("standard") is None
    with ExitStack() as many:
        for _ in range(10):
            many.enter_context(standing.at("standard", "headers"))
        with standing.at("standard", "place"), standing.at("high-throughput", "back-off"):
            clock.now = 5.0
        assert standing.mostly("standard") == "headers"
        assert standing.mostly("high-throughput") == "back-off"
    with standing.at("standard", "place"):
        clock.now = 6.0
    assert standing.mostly("standard") == "place"
    clock.now = 60.0
    assert standing.mostly("standard") is None


def test_whoever_is_cut_off_stands_nowhere_any_more() -> None:
    clock = Clock()
    standing = Standing(clock, Mock(), Mock())
    with suppress(TimeoutError), standing.at("standard", "token"):
        clock.now = 1.0
        raise TimeoutError
    clock.now = 10.0
    assert standing.mostly("standard") == "token"
    clock.now = 20.0
    assert standing.mostly("standard") is None


def test_where_most_stand_at_this_moment_counts_heads_and_forgets_nothing() -> None:
    clock = Clock()
    standing = Standing(clock, Mock(), Mock())
    assert standing.mostly_now("standard") is None
    with standing.at("standard", "place"), standing.at("standard", "place"), standing.at("standard", "headers"):
        assert standing.mostly_now("standard") == "place"
        assert standing.mostly_now("high-throughput") is None
        clock.now = 5.0
    assert standing.mostly_now("standard") is None
    assert standing.mostly("standard") == "place"
