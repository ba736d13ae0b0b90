"""What a slowed queue adds to a wait, and what it would have been anyway."""

import pytest
from ajo_worker.limits.shadow import NONE, Shadow, Ticket
from hypothesis import given
from hypothesis import strategies as st

THROTTLED, RAMPING, BOTH = (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)


class Queue:
    """``limit`` a second are let through at full speed, evenly; who waits is let through in order of coming."""

    def __init__(self, limit: float) -> None:
        self.limit, self.now, self.owed = limit, 0.0, 0.0
        self.shadow, self.waiting = Shadow(), list[Ticket]()
        self.waits: list[tuple[float, float, tuple[float, float]]] = []

    def come(self, count: int) -> None:
        self.waiting += [self.shadow.enters(self.now) for _ in range(count)]

    def go_on(self, seconds: float, speed: float = 1.0, causes: tuple[float, float] = NONE, tick: float = 0.05) -> None:
        for _ in range(round(seconds / tick)):
            self.now += tick
            self.owed += self.limit * speed * tick
            there = min(int(self.owed), len(self.waiting))
            self.owed -= there if self.waiting else self.owed
            if there:
                self.shadow.lets_through(self.now, there, speed, causes)
            for ticket in self.waiting[:there]:
                ours, slowed = self.shadow.leaves(ticket, self.now)
                self.waits.append((self.now - ticket.came, ours, slowed))
            del self.waiting[:there]

    @property
    def sums(self) -> tuple[float, float, float, float]:
        return (
            sum(wait for wait, _, _ in self.waits),
            sum(ours for _, ours, _ in self.waits),
            sum(slowed[0] for *_, slowed in self.waits),
            sum(slowed[1] for *_, slowed in self.waits),
        )


STEPS = st.lists(
    st.tuples(
        st.integers(0, 60), st.sampled_from([0.05, 0.5, 3.0]), st.floats(0.01, 1), st.sampled_from([THROTTLED, BOTH])
    ),
    max_size=12,
)


@given(STEPS, st.sampled_from([2.0, 20.0, 500.0]))
def test_parts_sum_to_the_wait_and_none_is_negative(
    steps: list[tuple[int, float, float, tuple[float, float]]], limit: float
) -> None:
    queue = Queue(limit)
    for count, seconds, speed, causes in steps:
        queue.come(count)
        queue.go_on(seconds, speed, causes if speed < 1 else NONE)
    for wait, ours, slowed in queue.waits:
        assert ours + sum(slowed) == pytest.approx(wait, abs=1e-9)
        assert min(ours, *slowed) >= -1e-9


@given(st.lists(st.tuples(st.integers(0, 60), st.sampled_from([0.05, 0.5, 3.0])), max_size=12))
def test_a_limit_as_it_is_configured_is_ours_alone(steps: list[tuple[int, float]]) -> None:
    queue = Queue(20)
    for count, seconds in steps:
        queue.come(count)
        queue.go_on(seconds)
    assert all(ours == wait and slowed == NONE for wait, ours, slowed in queue.waits)


def test_what_the_limit_would_have_let_through_at_once_waits_for_adobes_sake() -> None:
    queue = Queue(100)
    for _ in range(400):  # 40 a second, where 100 are allowed and 20 are let through
        queue.come(2)
        queue.go_on(0.05, 0.2, THROTTLED)
    total, ours, throttled, ramped = queue.sums
    assert ours < 0.05 * total
    assert throttled > 0.95 * total
    assert ramped == 0


def test_a_burst_that_the_limit_would_have_held_too_is_ours_as_far_as_it_would_have() -> None:
    queue = Queue(100)
    queue.come(1000)
    queue.go_on(25, 0.5, RAMPING)
    total, ours, _, ramped = queue.sums
    assert ours == pytest.approx(total / 2, rel=0.05)  # 5 s in the middle at full speed, 10 s at half of it
    assert ramped == pytest.approx(total / 2, rel=0.05)


def test_two_causes_share_what_they_add() -> None:
    queue = Queue(100)
    queue.come(100)
    queue.go_on(30, 0.05, BOTH)
    _, _, throttled, ramped = queue.sums
    assert throttled == pytest.approx(ramped, rel=1e-6)


def test_a_backlog_that_a_slow_time_left_is_still_of_its_making_afterwards() -> None:
    queue = Queue(100)
    for _ in range(200):
        queue.come(4)  # 80 a second
        queue.go_on(0.05, 0.1, THROTTLED)
    for _ in range(200):
        queue.come(4)
        queue.go_on(0.05)
    total, ours, throttled, _ = queue.sums
    assert throttled > 0.9 * total
    assert ours < 0.1 * total
