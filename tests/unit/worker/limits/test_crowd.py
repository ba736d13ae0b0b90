"""How slow the calls are that hold the places."""

import pytest
from ajo_worker.limits.crowd import SLOW, USUAL, Crowd
from hypothesis import given
from hypothesis import strategies as st


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
