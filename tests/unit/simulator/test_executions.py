"""The decisions on an execution that need no connection: how many calls a second pass."""

from dataclasses import dataclass

from ajo_simulator.executions import CallLimit


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_limit_lets_so_many_calls_of_each_second_pass() -> None:
    clock = Clock()
    limit = CallLimit(clock)
    assert [limit.exceeded(2) for _ in range(4)] == [False, False, True, True]
    clock.now += 1
    assert [limit.exceeded(2) for _ in range(3)] == [False, False, True]


def test_without_a_limit_none_is_exceeded() -> None:
    limit = CallLimit(Clock())
    assert not any(limit.exceeded(None) for _ in range(1000))
