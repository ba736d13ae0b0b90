"""How a rate comes back after an outage."""

from ajo_worker.outages.rates import Ramp
from hypothesis import given
from hypothesis import strategies as st


@given(st.floats(-10, 1e6), st.floats(1, 10_000), st.floats(1, 100), st.floats(0.1, 100))
def test_a_rate_comes_back_from_its_first_to_its_limit_and_never_falls(
    since: float, limit: float, first: float, doubling: float
) -> None:
    ramp = Ramp(first, doubling)
    rate = ramp.rate(since, limit)
    assert min(first, limit) <= rate <= limit
    assert rate <= ramp.rate(since + 1, limit)


def test_a_rate_doubles_in_its_time() -> None:
    assert [Ramp(5, 5).rate(since, 500) for since in (0, 5, 10, 30, 35)] == [5, 10, 20, 320, 500]
