"""How long a consumer waits for its broker, and what it says."""

import pytest
from ajo_producers.contract.broker import QUEUE_GONE
from ajo_worker.intake.reconnecting import FIRST_PAUSE, LONGEST_PAUSE, Pauses, told
from amqp.exceptions import ConsumerCancelled
from hypothesis import given
from hypothesis import strategies as st


def most() -> float:
    return 1.0


def least() -> float:
    return 0.0


def test_pauses_grow_to_the_longest() -> None:
    pauses = Pauses()
    seen = [pauses.failed(float(number), most) for number in range(10)]
    assert seen[:4] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE, 8 * FIRST_PAUSE]
    assert seen == sorted(seen)
    assert seen[-1] == LONGEST_PAUSE


def test_what_breaks_again_at_once_was_no_success() -> None:
    pauses = Pauses()
    seen = []
    for number in range(8):
        pauses.stands(float(number))
        seen.append(pauses.failed(number + 0.5, most))
    assert seen[-1] == LONGEST_PAUSE


def test_what_stood_for_long_begins_anew() -> None:
    pauses = Pauses()
    for number in range(8):
        pauses.failed(float(number), most)
    pauses.stands(100.0)
    assert pauses.failed(100.1 + LONGEST_PAUSE, most) == FIRST_PAUSE


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 100)), max_size=50), st.floats(0, 1))
def test_no_history_makes_a_pause_too_short_or_too_long(history: list[tuple[bool, float]], jitter: float) -> None:
    pauses, now = Pauses(), 0.0
    for stood, seconds in history:
        now += seconds
        if stood:
            pauses.stands(now)
        else:
            assert FIRST_PAUSE / 2 <= pauses.failed(now, lambda: jitter) <= LONGEST_PAUSE


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (OSError("can't reach amqp://user:planted@host:5672//"), "OSError: can't reach amqp://…@host:5672//"),
        (OSError("redis://:planted@host and amqp://a:planted@b"), "OSError: redis://…@host and amqp://…@b"),
        (ValueError("two\n  lines"), "ValueError: two lines"),
        (KeyError(), "KeyError"),
        (ConsumerCancelled("None7", (60, 30)), QUEUE_GONE),
    ],
)
def test_what_is_told_is_one_line_without_credentials(fault: Exception, text: str) -> None:
    assert told(fault) == text
