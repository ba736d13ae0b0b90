"""Signals that say nothing new, or that whoever started a command doesn't want it to hear."""

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest
from ajo_producers.cli import outbox_relay
from ajo_producers.cli.stopping import Stop
from ajo_producers.contract.stop_signals import INSISTING


@pytest.fixture
def cut_off(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The codes with which the process would have ended at once."""
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    return codes


@pytest.mark.parametrize(("number", "codes"), [(signal.SIGHUP, []), (signal.SIGTERM, [1]), (signal.SIGINT, [1])])
def test_only_who_insists_cuts_a_relay_off(cut_off: list[int], number: signal.Signals, codes: list[int]) -> None:
    stop = asyncio.Event()
    outbox_relay._on_signal(stop, number in INSISTING)
    assert stop.is_set()
    assert cut_off == []
    outbox_relay._on_signal(stop, number in INSISTING)
    assert cut_off == codes


@pytest.fixture
def nohup() -> Iterator[None]:
    """Started by nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("nohup")
def test_a_command_under_nohup_outlives_its_terminal() -> None:
    with Stop() as stop:
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), 0)
        assert stop.asked is None
