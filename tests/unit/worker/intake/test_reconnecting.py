"""How long a consumer waits for its broker, and what it says."""

import socket
from types import SimpleNamespace
from typing import Any

import pytest
from ajo_producers.contract.broker import QUEUE_GONE
from ajo_worker.intake.events import LONGEST_WAIT, SHORT_WAIT
from ajo_worker.intake.reconnecting import FIRST_PAUSE, LONGEST_PAUSE, Pauses, ReconnectingConsumer, told
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


class Broken(ReconnectingConsumer):
    """Its connections are sockets; nothing is connected again."""

    def __init__(self, *sockets: socket.socket) -> None:
        self.connection, events = map(connection_over, sockets)
        self.event_dispatcher = SimpleNamespace(connection=events, blocked=False)

    def _wait_after(self, _: Exception) -> None:
        pass


def connection_over(sock: socket.socket) -> Any:
    """As much of kombu's connection as is asked for its socket, or closed."""
    sock.settimeout(LONGEST_WAIT)
    amqp = SimpleNamespace(_transport=SimpleNamespace(sock=sock))
    return SimpleNamespace(_connection=amqp, collect=lambda _: None, close=lambda: None)


def test_where_the_connection_of_messages_broke_that_of_events_is_waited_for_no_longer() -> None:
    """Both may be deaf: Celery's farewell to the second one kept a worker from its messages for 16 s."""
    with socket.socket() as messages, socket.socket() as events:
        Broken(messages, events).on_connection_error_after_connected(OSError())
        assert events.gettimeout() == SHORT_WAIT
