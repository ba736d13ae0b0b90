"""When a destination is silent: it answers nothing at all, and many wait for it. How long answers take otherwise."""

from uuid import UUID

import pytest
from ajo_worker.outages.answers import MOST_TIMES, RECENT, AnswerTimes, Listening, Patience, percentile
from hypothesis import given
from hypothesis import strategies as st

PATIENCE = Patience(calls=20, seconds=15.0)
times = st.lists(st.floats(0, 60), max_size=400)


def listening(patience: Patience = PATIENCE) -> Listening:
    return Listening(patience)


def went_by(heard: Listening, begin: float, seconds: float) -> bool:
    """What it is after so many seconds, in which it was looked at all the time."""
    looks = [heard.look(begin + 0.25 * step) for step in range(round(seconds * 4) + 1)]
    return looks[-1]


def send(heard: Listening, count: int, now: float, start: int = 0) -> None:
    for number in range(start, start + count):
        heard.sends(UUID(int=number), now)


@pytest.mark.parametrize(
    ("calls", "seconds", "silent"),
    [(20, 15.0, True), (20, 14.5, False), (19, 60.0, False), (1000, 15.0, True), (1000, 14.5, False), (2, 60.0, False)],
)
def test_many_open_calls_and_no_answer_for_so_long_are_a_silence(calls: int, seconds: float, silent: bool) -> None:
    heard = listening()
    send(heard, calls, 100.0)
    assert went_by(heard, 100.0, seconds) is silent


@pytest.mark.parametrize("calls", [1, 2])
def test_calls_of_fewer_than_three_triggers_are_none_whatever_is_set(calls: int) -> None:
    heard = listening(Patience(1, 15.0))
    send(heard, calls, 0.0)
    assert not went_by(heard, 0.0, 60.0)


def test_one_answer_lifts_it_at_once_and_the_next_takes_its_time() -> None:
    heard = listening()
    send(heard, 40, 0.0)
    assert went_by(heard, 0.0, 15.0)
    heard.ended(UUID(int=0), 15.1, answered=True)
    assert heard.since is None
    assert not went_by(heard, 15.1, 14.5)
    assert went_by(heard, 29.75, 0.5)


def test_answers_that_come_however_late_are_no_silence() -> None:
    """25 s of latency at 10 calls a second: quiet in the beginning, and never again."""
    heard, silences, was = listening(), 0, False
    for step in range(1200):
        now = step * 0.1
        heard.sends(UUID(int=step), now)
        if step >= 250:
            heard.ended(UUID(int=step - 250), now, answered=True)
        is_ = heard.look(now)
        silences += is_ and not was
        was = is_
    assert silences == 1
    assert not was


def test_calls_that_hang_alone_are_no_silence_for_those_that_come_much_later() -> None:
    heard = listening()
    send(heard, 2, 0.0)
    assert not went_by(heard, 0.0, 50.0)
    send(heard, 100, 50.0, start=10)
    assert not went_by(heard, 50.0, 10.0)


def test_after_a_quiet_night_a_burst_is_given_its_time() -> None:
    heard = listening()
    send(heard, 1, 0.0)
    heard.ended(UUID(int=0), 0.1, answered=True)
    went_by(heard, 0.1, 3600.0)
    send(heard, 500, 3600.0, start=10)
    assert not went_by(heard, 3600.25, 14.0)
    assert went_by(heard, 3614.25, 1.0)


def test_calls_that_ended_without_an_answer_do_not_end_it_as_long_as_others_are_open() -> None:
    heard = listening()
    send(heard, 20, 0.0)
    assert went_by(heard, 0.0, 20.0)
    send(heard, 1, 20.0, start=50)
    for number in range(20):
        heard.ended(UUID(int=number), 60.0, answered=False)
    assert went_by(heard, 20.0, 41.0)
    heard.ended(UUID(int=50), 80.0, answered=False)
    assert not heard.look(61.25), "nothing is asked any more"


def test_shortened_calls_that_end_in_vain_one_after_another_are_a_silence_too() -> None:
    heard = listening()
    silent = False
    for step in range(400):
        now = step * 0.25
        send(heard, 2, now, start=2 * step)
        if step >= 64:  # each has 16 s
            heard.ended(UUID(int=2 * (step - 64)), now, answered=False)
            heard.ended(UUID(int=2 * (step - 64) + 1), now, answered=False)
        silent = heard.look(now) or silent
    assert silent


def test_a_worker_that_was_frozen_has_heard_nothing_and_concludes_nothing() -> None:
    heard = listening()
    send(heard, 100, 0.0)
    assert not went_by(heard, 0.0, 5.0)
    assert not heard.look(65.0)
    assert not went_by(heard, 65.25, 14.5)
    assert went_by(heard, 80.0, 0.5)


EVENTS = st.lists(
    st.tuples(st.sampled_from(["send", "answer", "in vain"]), st.integers(0, 40), st.floats(0, 3)), max_size=200
)


@given(EVENTS)
def test_it_is_never_silent_with_a_recent_answer_or_few_calls(events: list[tuple[str, int, float]]) -> None:
    heard, now, answered, begun = listening(), 0.0, float("-inf"), set[int]()
    for what, number, seconds in events:
        steps = round(seconds * 4)
        for _ in range(steps):
            now += 0.25
            was = heard.since is not None
            if heard.look(now):
                assert now - answered >= PATIENCE.seconds
                assert was or len(begun) >= PATIENCE.calls
        if what == "send":
            heard.sends(UUID(int=number), now)
            begun.add(number)
        elif number in begun:
            begun.discard(number)
            heard.ended(UUID(int=number), now, answered=what == "answer")
            answered = now if what == "answer" else answered
    assert heard.open == len(begun)


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
    assert usual == percentile(seconds[-MOST_TIMES:])


@given(st.lists(st.tuples(st.floats(0, 60), st.booleans()), min_size=1, max_size=MOST_TIMES))
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
    found = told([1.0] * 10 * MOST_TIMES)
    assert len(found._all) == len(found._accepted) == MOST_TIMES


@pytest.mark.parametrize("share", [0.04, 0.06])
def test_one_in_twenty_may_take_longer(share: float) -> None:
    slow = round(100 * share)
    assert percentile([0.1] * (100 - slow) + [40.0] * slow) == (0.1 if share < 0.05 else 40.0)
