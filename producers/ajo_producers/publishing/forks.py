"""What must begin anew in a child process: locks that no thread will ever release there, connections of the parent.

And what a fork has to wait for: a child in which a module is being imported by a thread that isn't there would wait for
that module for ever, at its first use. The hooks of a fork run in the reverse order of their registration: those of
``logging`` and ``concurrent.futures`` hold locks that an import may need, so they have to be registered before ours.
"""

import concurrent.futures.thread  # noqa: F401 - for its hooks
import logging  # noqa: F401 - likewise
import os
from contextlib import suppress
from typing import Protocol
from weakref import WeakSet

from ajo_producers.first_use import importing

LONGEST_IMPORT = 5.0
"""Seconds; whatever lasts longer may wait for the fork itself."""


class Forked(Protocol):
    """Something that a fork copies in a state that is of no use."""

    def _after_fork(self) -> None:
        """Begin anew; called in the child, before anything else of it."""


def reset_after_fork(forked: Forked) -> None:
    """See to it that it begins anew in every child process, as long as it lives."""
    _all.add(forked)


def _reset() -> None:
    for forked in list(_all):
        forked._after_fork()


def _wait_for_imports() -> None:
    _waited.append(importing.acquire(timeout=LONGEST_IMPORT))


def _go_on() -> None:
    if _waited.pop():
        importing.release()


_all: WeakSet[Forked] = WeakSet()
_waited: list[bool] = []
with suppress(AttributeError):  # Windows has no fork
    os.register_at_fork(before=_wait_for_imports, after_in_parent=_go_on, after_in_child=_go_on)
    os.register_at_fork(after_in_child=_reset)
