"""A worker told to quit only notes it; the process is really signalled in tests/acceptance and tests/chaos."""

import signal
from collections.abc import Iterator

import pytest
from ajo_worker.intake.stop_signals import only_note_signals, told_to_quit
from celery.worker import state


@pytest.fixture(autouse=True)
def noted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGQUIT)}
    monkeypatch.setattr(state, "should_stop", None)
    monkeypatch.setattr(state, "should_terminate", None)
    only_note_signals()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_sigquit_is_noted_for_the_loop_to_find() -> None:
    signal.raise_signal(signal.SIGQUIT)
    assert told_to_quit()
    assert state.should_stop is None


def test_ctrl_c_asks_politely_once_and_then_to_quit() -> None:
    signal.raise_signal(signal.SIGINT)
    assert (state.should_stop, told_to_quit()) == (0, False)
    signal.raise_signal(signal.SIGINT)
    assert told_to_quit()


def test_who_insists_ends_the_process_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    codes: list[int] = []
    monkeypatch.setattr("os._exit", codes.append)
    signal.raise_signal(signal.SIGQUIT)
    assert codes == []
    signal.raise_signal(signal.SIGQUIT)
    assert codes == [1]
