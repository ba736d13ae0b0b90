"""Lines on standard error that hold nobody up: it may be closed, full, or a pipe that nobody reads."""

import os
import select
import sys
from contextlib import suppress

_dropped = 0


def write_line(text: str) -> None:
    """Write a line, unless that would fail or block: then it is dropped, and counted in the next one that is written.

    A pipe with any room takes 4,096 bytes at once.
    """
    global _dropped  # noqa: PLW0603 - of the process, as its standard error is
    if sys.stderr is None:  # a program may be started without
        return
    line = f"{f'({_dropped:,} lines were dropped before this one) ' if _dropped else ''}{text}\n"
    try:
        descriptor = sys.stderr.fileno() if hasattr(select, "poll") else None  # there is none for Windows
    except (OSError, ValueError):  # in memory
        descriptor = None
    if descriptor is None:
        with suppress(OSError, ValueError):
            sys.stderr.write(line)
        return
    rest = line.encode(errors="backslashreplace")
    try:
        while rest:
            if not _takes(descriptor):
                raise BlockingIOError
            rest = rest[os.write(descriptor, rest[: select.PIPE_BUF]) :]
    except OSError:
        _dropped += 1
    else:
        _dropped = 0


def _takes(descriptor: int) -> bool:
    looking = select.poll()
    looking.register(descriptor, select.POLLOUT)
    return bool(looking.poll(0))
