"""How many places a lane may hold, how many are kept for urgent triggers, and how slow the calls are that hold them."""

import pytest
from ajo_worker.limits.bounds import SLOW, USUAL, Crowd, Shares, shares
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


@pytest.mark.parametrize(
    ("lasts", "speed"), [(0.1, 1.0), (1.9, 1.0), (5.0, USUAL / 5), (25.0, USUAL / 25), (60.0, USUAL / 60)]
)
def test_slow_calls_hand_places_on_as_much_slower_as_they_are_than_what_is_usual(lasts: float, speed: float) -> None:
    crowd, now = Crowd(), 100.0
    crowd.restarts(now)
    for who in range(20):
        crowd.enters(now)
        crowd.sends(who, now)
    for who in range(20):
        crowd.leaves(who, now + lasts)
    assert crowd.speed(now + lasts) == pytest.approx(speed)
    assert crowd.taken == 0


def test_a_place_whose_call_is_not_made_yet_is_not_slow() -> None:
    crowd = Crowd()
    crowd.enters(0.0)
    assert crowd.speed(60.0) == 1.0
    crowd.sends(1, 60.0)
    assert crowd.slow(60.0 + SLOW - 0.1) == 0
    assert crowd.slow(60.0 + SLOW) == 1


def late(begun: float, now: float) -> float:
    """By how much a call takes longer than usual, if it is slow; quick ones leave what is usual as it is here."""
    return now - begun - USUAL if now - begun >= SLOW else 0.0


@given(st.lists(st.tuples(st.sampled_from([USUAL, 2.5, 7.0]), st.integers(0, 7)), max_size=60), st.booleans())
def test_asking_often_or_seldom_tells_the_same_seconds(steps: list[tuple[float, int]], often: bool) -> None:
    crowd, now, held, slow = Crowd(), 0.0, 0.0, 0.0
    sent: dict[int, float] = {}
    for seconds, who in steps:
        for begun in sent.values():
            held += seconds
            before, after = (late(begun, at) for at in (now, now + seconds))
            slow += after - before
        now += seconds
        if often:
            crowd.slow(now)
        if who in sent:
            del sent[who]
            crowd.leaves(who, now)
        else:
            sent[who] = now
            crowd.enters(now)
            crowd.sends(who, now)
    assert crowd.speed(now) == pytest.approx(1.0 - (slow / held if held else 0.0), abs=0.05)
