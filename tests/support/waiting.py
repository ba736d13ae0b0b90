"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

FIRST_POLL_SECONDS, LAST_POLL_SECONDS = 0.02, 0.2
"""Until the next look: at first short, and longer with each look, since most looks are questions to a database."""
DEADLINE_SECONDS = 300.0
"""How long anything may take on a machine that has much else to do; nobody waits for it but a test that fails."""


def wait_until(condition: Callable[[], T], *, what: str, timeout: float = DEADLINE_SECONDS) -> T:
    """Wait until ``condition`` gives something true, and return it; fails the test after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    pause = FIRST_POLL_SECONDS
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what} (last seen: {value!r})")
        time.sleep(pause)
        pause = min(pause * 1.3, LAST_POLL_SECONDS)
    return value
