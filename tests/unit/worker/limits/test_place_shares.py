"""How many places a lane may hold, and how many are kept for urgent triggers."""

import pytest
from ajo_worker.limits.place_shares import Shares, shares
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("places", "lanes", "urgent", "expected"),
    [
        (1000, 2, True, Shares(ordinary_of_lane=760, of_lane=800, ordinary=950)),
        (1000, 2, False, Shares(ordinary_of_lane=800, of_lane=800, ordinary=1000)),
        (1000, 1, True, Shares(ordinary_of_lane=950, of_lane=1000, ordinary=950)),
        (1000, 1, False, Shares(ordinary_of_lane=1000, of_lane=1000, ordinary=1000)),
        (10, 2, True, Shares(ordinary_of_lane=7, of_lane=8, ordinary=9)),
        (10, 1, False, Shares(ordinary_of_lane=10, of_lane=10, ordinary=10)),
        (2, 2, True, Shares(ordinary_of_lane=1, of_lane=1, ordinary=2)),
        (2, 1, True, Shares(ordinary_of_lane=2, of_lane=2, ordinary=2)),
        (1, 2, True, Shares(ordinary_of_lane=1, of_lane=1, ordinary=1)),
    ],
)
def test_shares(places: int, lanes: int, urgent: bool, expected: Shares) -> None:
    assert shares(places, lanes=lanes, lane_share=0.8, urgent=urgent, urgent_reserve=0.05) == expected


@given(st.integers(1, 5000), st.integers(1, 2), st.floats(0.01, 1), st.booleans(), st.floats(0, 0.99))
def test_every_trigger_can_get_a_place_and_a_lane_never_has_more_than_its_share(
    places: int, lanes: int, lane_share: float, urgent: bool, urgent_reserve: float
) -> None:
    found = shares(places, lanes=lanes, lane_share=lane_share, urgent=urgent, urgent_reserve=urgent_reserve)
    assert found.may(urgent=False, ordinary_of_lane=0, of_lane=0, ordinary=0)
    assert 1 <= found.ordinary_of_lane <= found.of_lane <= places
    if lanes > 1:
        assert found.of_lane <= max(places * lane_share, 1)
