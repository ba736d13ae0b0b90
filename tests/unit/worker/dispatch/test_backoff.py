"""Back-off: bounded growth, full jitter, and an exact floor."""

import pytest
from ajo_worker.dispatch.backoff import Backoff
from hypothesis import given
from hypothesis import strategies as st

POLICY = Backoff(base=0.5, factor=2, cap=10)
backoffs = st.builds(Backoff, base=st.floats(0.001, 60), factor=st.floats(1, 10), cap=st.floats(0.001, 600))
unit = st.floats(0, 1)


@pytest.mark.parametrize(
    ("attempts", "bound"), [(1, 0.5), (2, 1), (3, 2), (4, 4), (5, 8), (6, 10), (60, 10), (100_000, 10)]
)
def test_the_bound_doubles_up_to_the_cap(attempts: int, bound: float) -> None:
    assert POLICY.bound(attempts) == bound


@given(backoffs, st.integers(1, 10_000), unit)
def test_a_wait_lies_between_nothing_and_the_bound(policy: Backoff, attempts: int, jitter: float) -> None:
    assert 0 <= policy.wait(attempts, lambda: jitter) <= policy.bound(attempts) <= policy.cap


@given(backoffs, st.integers(1, 100), unit, st.floats(0, 1e6))
def test_a_wait_is_never_below_the_floor_and_exactly_it_where_the_floor_is_longer(
    policy: Backoff, attempts: int, jitter: float, floor: float
) -> None:
    wait = policy.wait(attempts, lambda: jitter, floor=floor)
    assert wait >= floor
    if floor >= policy.cap:
        assert wait == floor


@given(backoffs, st.integers(1, 1000))
def test_the_bound_never_shrinks(policy: Backoff, attempts: int) -> None:
    assert policy.bound(attempts) <= policy.bound(attempts + 1)
