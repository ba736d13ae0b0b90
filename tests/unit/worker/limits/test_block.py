"""Blocks of permits, and how a rate comes back."""

import pytest
from ajo_worker.limits.block import BLOCK_SECONDS, KEPT_SECONDS, Block, block_size, ramp_rate
from hypothesis import given
from hypothesis import strategies as st

RATES = st.floats(1, 10_000)


@given(RATES)
def test_a_block_holds_what_its_time_allows_and_at_least_one(rate: float) -> None:
    assert max(rate * BLOCK_SECONDS, 1) <= block_size(rate) < rate * BLOCK_SECONDS + 1.0001


@pytest.mark.parametrize(
    ("now", "usable", "comes"),
    [
        (9.9, False, True),
        (10.0, True, False),
        (10.5, True, False),
        (11.0 + KEPT_SECONDS, True, False),
        (12.1, False, False),
    ],
)
def test_permits_are_good_from_their_begin_till_a_little_after_their_end(now: float, usable: bool, comes: bool) -> None:
    block = Block(2, 10.0, 11.0)
    assert (block.usable(now), block.comes(now)) == (usable, comes)
    assert not block.less(2).usable(now)


@given(st.floats(-10, 1e6), RATES, st.floats(1, 100), st.floats(0.1, 100))
def test_a_rate_comes_back_from_its_first_to_its_limit_and_never_falls(
    since: float, limit: float, first: float, doubling: float
) -> None:
    rate = ramp_rate(since, first=first, doubling=doubling, limit=limit)
    assert min(first, limit) <= rate <= limit
    assert rate <= ramp_rate(since + 1, first=first, doubling=doubling, limit=limit)


def test_a_rate_doubles_in_its_time() -> None:
    assert [ramp_rate(since, first=5, doubling=5, limit=500) for since in (0, 5, 10, 30, 35)] == [5, 10, 20, 320, 500]
