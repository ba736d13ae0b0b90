"""What must begin anew in a child process: locks that no thread will ever release there, connections of the parent."""

import os
from contextlib import suppress
from typing import Protocol
from weakref import WeakSet


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


_all: WeakSet[Forked] = WeakSet()
with suppress(AttributeError):  # Windows has no fork
    os.register_at_fork(after_in_child=_reset)
