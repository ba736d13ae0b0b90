"""Calls handed from any thread to the thread of Celery's hub: its channels have no locks."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

import structlog
from vine import promise

PAUSE = 0.05
"""Seconds between turns where there is no hub, or a broken one."""

log = structlog.get_logger("ajo_worker.intake")


class HubCalls:
    """A queue of calls. The hub keeps its ready calls in a set, so it gets one promise that empties our own deque."""

    def __init__(self) -> None:
        self._calls: deque[Callable[[], Any]] = deque()
        self.then: Callable[[], Any] = lambda: None
        """Called after all calls of a turn."""
        self._hub: Any = None
        self._drain = promise(self.drain)

    def attach(self, hub: Any) -> None:
        """Use this hub from now on. A hub that was reset has forgotten its ready calls, so ours are announced again."""
        self._hub = hub
        hub.call_soon(self._drain)

    def soon(self, call: Callable[[], Any]) -> None:
        """Have ``call`` made on the hub's thread; without a hub (a transport that has none) it is made here."""
        if self._hub is None:
            self._make(call)
            self._make(self.then)
            return
        self._calls.append(call)
        self._hub.call_soon(self._drain)

    def later(self, seconds: float, call: Callable[[], Any]) -> None:
        """Have ``call`` made on the hub's thread after some time, by whoever is on it; without a hub at once."""
        if self._hub is None:
            self._make(call)
        else:
            self._hub.call_later(seconds, self._make, call)

    def turn(self) -> None:
        """Let a hub whose own loop has ended make one turn: our calls, acknowledgements, heartbeats."""
        if self._hub is None:
            time.sleep(PAUSE)
            return
        try:
            self._hub.run_once()
            self.drain()  # a hub that was reset while other threads called it has forgotten that there is something
        except Exception as fault:  # noqa: BLE001 - a broken connection must not keep what is in flight from ending
            log.warning("hub-turn-failed", fault=type(fault).__name__)
            self.drain()
            time.sleep(PAUSE)

    def drain(self) -> None:
        """Make all waiting calls; only on the hub's thread."""
        if not self._calls:
            return
        while self._calls:
            self._make(self._calls.popleft())
        self._make(self.then)

    def _make(self, call: Callable[[], Any]) -> None:
        try:
            call()
        except Exception:
            log.exception("hub-call-failed")
