"""A worker told to stop only notes it; the process is really signalled in tests/acceptance and tests/chaos."""

import errno
import signal
from collections.abc import Iterator

import pytest
from ajo_worker.intake.stop_signals import note_signals, told_to_quit, told_to_stop
from celery.worker import state

SIGNALS = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)
OTHERS = (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM)
OF_CONTAINERS = [int(signal.SIGPWR), signal.SIGRTMIN + 3] if hasattr(signal, "SIGPWR") else []


@pytest.fixture(autouse=True)
def ends(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """After how many seconds the process would be ended, each time that this is arranged."""
    before = {number: signal.getsignal(number) for number in (*SIGNALS, *OTHERS, *OF_CONTAINERS)}
    arranged: list[float] = []
    monkeypatch.setattr(state, "should_stop", None)
    monkeypatch.setattr(state, "should_terminate", None)
    monkeypatch.setattr("faulthandler.dump_traceback_later", lambda seconds, **_: arranged.append(seconds))
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may run under nohup
    note_signals()
    yield arranged
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, *OF_CONTAINERS])
def test_the_first_polite_signal_is_noted_for_the_loop_to_find(number: int, ends: list[float]) -> None:
    signal.raise_signal(number)
    assert (state.should_stop, told_to_stop(), told_to_quit(), ends) == (0, True, False, [])


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("second", SIGNALS)
def test_a_second_signal_ends_the_process_within_five_seconds(
    first: signal.Signals, second: signal.Signals, ends: list[float]
) -> None:
    signal.raise_signal(first)
    signal.raise_signal(second)
    assert told_to_quit()
    assert len(ends) == 1
    assert ends[0] < 5


def test_sigquit_ends_the_process_within_five_seconds(ends: list[float]) -> None:
    signal.raise_signal(signal.SIGQUIT)
    assert told_to_quit()
    assert len(ends) == 1


def test_further_signals_put_the_end_off_no_more(ends: list[float]) -> None:
    for _ in range(4):
        signal.raise_signal(signal.SIGQUIT)
    assert len(ends) == 1


@pytest.mark.parametrize("number", [signal.SIGHUP, *OF_CONTAINERS])
def test_a_systems_signal_behind_another_one_says_nothing_new(number: int, ends: list[float]) -> None:
    signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(number)
    signal.raise_signal(number)
    assert (told_to_stop(), told_to_quit(), ends) == (True, False, [])


def test_a_hangup_that_is_ignored_stays_so() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    note_signals()
    signal.raise_signal(signal.SIGHUP)
    assert not told_to_stop()


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM])
def test_signals_without_a_meaning_here_end_nothing(number: signal.Signals) -> None:
    signal.raise_signal(number)
    assert not told_to_stop()


def test_files_that_are_used_up_keep_no_process_from_its_end(
    ends: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing_left(*_: object) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("os.open", nothing_left)
    signal.raise_signal(signal.SIGQUIT)
    assert len(ends) == 1


def test_where_no_thread_can_be_had_a_signal_ends_the_process_within_five_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nothing_left(*_: object, **__: object) -> None:
        raise RuntimeError("unable to start watchdog thread")

    monkeypatch.setattr("faulthandler.dump_traceback_later", nothing_left)
    signal.raise_signal(signal.SIGQUIT)
    left, _ = signal.setitimer(signal.ITIMER_REAL, 0)
    assert 0 < left < 5
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
