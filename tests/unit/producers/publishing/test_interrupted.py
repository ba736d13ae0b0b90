"""Ctrl-C at every instant of a call: whoever catches it has a publisher that works."""

import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Any

import ajo_producers.publishing
import pytest
from ajo_producers import CheckedTrigger, Publisher, PublishError
from ajo_producers.publishing import carrier as carriers
from ajo_producers.publishing.campaign import Campaign

from tests.support.definitions import ORDER_SHIPPED
from tests.support.links import HeldLink
from tests.support.waiting import DEADLINE_SECONDS

URL = "amqp://127.0.0.1:1/"
PACKAGE = str(Path(ajo_producers.publishing.__file__).parent)
CAMPAIGN = Campaign(ORDER_SHIPPED)


def make(to: str = "ann") -> CheckedTrigger:
    return CAMPAIGN.trigger(to=f"{to}@example.com", context={"orderId": "A"})


class Interruption:
    """Ctrl-C where Python lets one come, when a function begins or has ended: at the ``number``-th such instant."""

    def __init__(self, number: int) -> None:
        self._left = number
        self.where: str | None = None

    def __call__(self, frame: FrameType, event: str, called: Any) -> None:
        if not frame.f_code.co_filename.startswith(PACKAGE) or event not in {"call", "return", "c_return"}:
            return
        if event == "c_return" and called.__name__ == "__enter__":  # a with statement lets none come there
            return
        self._left -= 1
        if self._left == 0:
            self.where = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno} {event}"
            sys.setprofile(None)
            raise KeyboardInterrupt


def interrupted(call: Callable[[], object], number: int) -> str | None:
    """Where the call was interrupted; None if it ended before."""
    interruption = Interruption(number)
    try:
        sys.setprofile(interruption)
        try:
            call()
        finally:
            sys.setprofile(None)
    except KeyboardInterrupt:
        pass
    return interruption.where


@pytest.mark.parametrize("name", ["publish", "publish_many", "close"])
def test_a_publisher_goes_on_and_can_be_closed_wherever_one_of_its_calls_is_interrupted(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carriers, "open_link", lambda *_: HeldLink())
    for number in range(1, 1000):
        publisher = Publisher(URL, timeout=1)
        if number % 2 or name == "close":
            publisher.publish(make())
        calls = {
            "publish": lambda publisher=publisher: publisher.publish(make()),
            "publish_many": lambda publisher=publisher: publisher.publish_many([make()]),
            "close": publisher.close,
        }
        # On threads, so that a publisher that stands still is told.
        with ThreadPoolExecutor(1) as pool:
            where = pool.submit(interrupted, calls[name], number).result(DEADLINE_SECONDS)
        assert not publisher._carrier._turns, f"interrupted at {where}, the connection is never free again"
        assert not publisher._callers._group._led, f"interrupted at {where}, nobody carries what is published"
        publisher.publish(make())
        publisher.close()
        if where is None and number % 2:
            return
    pytest.fail("it never came to its end")


def test_threads_beside_one_that_is_interrupted_get_their_receipts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carriers, "open_link", lambda *_: HeldLink())
    publisher = Publisher(URL, timeout=2 * DEADLINE_SECONDS)
    ended = threading.Event()

    def publish() -> int:
        count = 0
        while not ended.is_set():
            publisher.publish(make())
            count += 1
        return count

    with ThreadPoolExecutor(3) as pool:
        others = [pool.submit(publish) for _ in range(2)]
        where = [
            pool.submit(interrupted, lambda: publisher.publish(make("bob")), number).result(DEADLINE_SECONDS)
            for number in range(1, 120)
        ]
        ended.set()
        assert all(other.result(DEADLINE_SECONDS) for other in others)
    assert any(where)


def test_a_signals_handler_that_publishes_while_its_thread_does_waits_for_no_lock_of_that_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publisher = Publisher(URL, timeout=1)
    told: list[object] = []

    def handler(*_: object) -> None:
        try:
            told.append(publisher.publish(make("bob")))
        except PublishError as error:
            told.append(error)

    def within(_: set[str]) -> None:
        if not told:
            signal.raise_signal(signal.SIGUSR1)

    monkeypatch.setattr(carriers, "open_link", lambda *_: HeldLink(within))
    before = signal.signal(signal.SIGUSR1, handler)
    try:
        with publisher._callers._group._mutex:
            signal.raise_signal(signal.SIGUSR1)
        told.clear()
        assert publisher.publish(make())
    finally:
        signal.signal(signal.SIGUSR1, before)
    [error] = told
    assert isinstance(error, PublishError)
    assert error.unsent == error.unconfirmed
