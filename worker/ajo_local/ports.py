"""Free TCP ports for servers that can't choose one themselves."""

import socket
from collections.abc import Callable
from typing import TypeVar

from ajo_local.child import LocalStackError

T = TypeVar("T")

LOOPBACK = "127.0.0.1"
TRIES = 5
PORT_TAKEN = "address already in use"
"""What every server prints then, in whatever case."""


def free_port() -> int:
    """A port of the loopback interface that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port


def on_free_port(start: Callable[[int], T]) -> T:
    """Start a server on a free port, and again on another one if somebody takes the port in between.

    Args:
        start: starts the server on a port; raises LocalStackError if it doesn't come up, with what it printed.

    Raises:
        LocalStackError: the server doesn't start, for another reason or every time.
    """
    for _ in range(TRIES - 1):
        try:
            return start(free_port())
        except LocalStackError as error:
            if PORT_TAKEN not in str(error).lower():
                raise
    return start(free_port())
