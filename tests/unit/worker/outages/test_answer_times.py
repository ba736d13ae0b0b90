"""What is known of how long answers take: of the newest, within little memory, and of acceptances by themselves."""

import pytest
from ajo_worker.outages.answer_times import MOST, RECENT, AnswerTimes, percentile
from hypothesis import given
from hypothesis import strategies as st

times = st.lists(st.floats(0, 60), max_size=400)


def told(seconds: list[float], *, accepted: bool = True, begin: float = 0.0, every: float = 0.1) -> AnswerTimes:
    found = AnswerTimes()
    for number, took in enumerate(seconds):
        found.answered(begin + number * every, took, accepted=accepted)
    return found


@given(times)
def test_ninety_five_of_a_hundred_answers_took_no_longer_and_no_shorter_time_would_do(seconds: list[float]) -> None:
    usual = percentile(seconds)
    assert usual in (seconds or [0.0])
    assert sum(took <= usual for took in seconds) >= 0.95 * len(seconds)
    assert sum(took < usual for took in seconds) < max(0.95 * len(seconds), 1)


@given(times, st.booleans())
def test_what_is_said_was_seen_among_the_newest(seconds: list[float], accepted: bool) -> None:
    usual = told(seconds, accepted=accepted).usual(len(seconds) * 0.1)
    assert usual == percentile(seconds[-MOST:])


@given(st.lists(st.tuples(st.floats(0, 60), st.booleans()), min_size=1, max_size=MOST))
def test_never_less_than_acceptances_take_however_many_failures_come_at_once(answers: list[tuple[float, bool]]) -> None:
    found = AnswerTimes()
    for took, accepted in answers:
        found.answered(0.0, took, accepted=accepted)
    usual = found.usual(0.0)
    assert usual >= percentile(took for took, accepted in answers if accepted)
    assert usual >= percentile(took for took, _ in answers)


def test_quick_failures_don_t_hide_slow_acceptances() -> None:
    found = told([0.05] * 150, accepted=False)
    for _ in range(5):
        found.answered(15.0, 25.0, accepted=True)
    assert found.usual(15.0) == 25.0


def test_a_rare_slow_failure_doesn_t_forbid_retries_where_acceptances_are_quick() -> None:
    found = told([0.1] * 150)
    found.answered(15.0, 30.0, accepted=False)
    assert found.usual(15.0) == 0.1


def test_answers_are_forgotten_by_age_and_none_are_no_time() -> None:
    found = told([25.0], begin=100.0)
    assert (found.usual(100.0 + RECENT), found.usual(101.0 + RECENT)) == (25.0, 0.0)
    assert AnswerTimes().usual(5.0) == 0.0


def test_memory_is_bounded() -> None:
    found = told([1.0] * 10 * MOST)
    assert len(found._all) == len(found._accepted) == MOST


@pytest.mark.parametrize("share", [0.04, 0.06])
def test_one_in_twenty_may_take_longer(share: float) -> None:
    slow = round(100 * share)
    assert percentile([0.1] * (100 - slow) + [40.0] * slow) == (0.1 if share < 0.05 else 40.0)
