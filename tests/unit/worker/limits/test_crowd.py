"""How slow the calls are that hold the places."""

import pytest
from ajo_worker.limits.crowd import SLOW, Crowd
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("lasts", "speed"), [(0.1, 1.0), (SLOW, 1.0), (2 * SLOW, 0.5), (10 * SLOW, 0.1), (12.5 * SLOW, 0.08)]
)
def test_calls_that_last_n_times_as_long_as_is_slow_hand_places_on_at_an_nth_of_the_speed(
    lasts: float, speed: float
) -> None:
    crowd, now = Crowd(), 100.0
    crowd.speed(now)
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


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(0, 7)), max_size=60), st.booleans())
def test_asking_often_or_seldom_tells_the_same_seconds(steps: list[tuple[float, int]], often: bool) -> None:
    crowd, now, held, slow = Crowd(), 0.0, 0.0, 0.0
    sent: dict[int, float] = {}
    for seconds, who in steps:
        for begun in sent.values():
            held += seconds
            slow += max(now + seconds - max(begun + SLOW, now), 0.0)
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
    assert crowd.speed(now) == pytest.approx(1.0 - (slow / held if held else 0.0), abs=1e-6)
