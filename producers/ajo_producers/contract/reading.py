"""Files that programs read whole: settings, secrets, definitions, mappings."""

import errno
import io
import os
import select
import stat
from pathlib import Path

MOST_BYTES = 10_000_000
"""Of one file: a device without an end must not fill the memory."""
PATIENCE = 30.0
"""Seconds that whoever writes into a pipe may take, as long as a person at a password's prompt."""
CHUNK = 65_536

_WITHOUT_WAITING = getattr(os, "O_NONBLOCK", 0)  # Windows has no such pipes


def read_whole(file: Path, *, most: int = MOST_BYTES, patience: float = PATIENCE) -> bytes:
    """What a file holds; it may be a pipe, such as a shell's ``<(…)``, whose other end is written to and closed.

    Raises:
        OSError: it can't be read, has more than ``most`` bytes, or nobody writes into it for ``patience`` seconds.
    """
    parts: list[bytes] = []
    size = 0
    with io.FileIO(file, opener=lambda name, flags: os.open(name, flags | _WITHOUT_WAITING)) as raw:
        waits = not stat.S_ISREG(os.fstat(raw.fileno()).st_mode)
        while not waits or _has_come(raw, patience):
            part = raw.read(min(CHUNK, most + 1 - size))
            if part == b"":
                return b"".join(parts)
            parts.append(part or b"")  # None: it was read by somebody else
            size += len(parts[-1])
            if size > most:
                raise OSError(errno.EFBIG, f"has more than {most:,} bytes", str(file))
    raise TimeoutError(errno.ETIMEDOUT, f"is a pipe into which nobody has written for {patience:g} s", str(file))


def read_text(file: Path, encoding: str = "utf-8", *, most: int = MOST_BYTES, patience: float = PATIENCE) -> str:
    """Its text, whose lines end with ``\\n``.

    Raises:
        OSError: as ``read_whole``.
        UnicodeDecodeError: it is no text in this encoding.
    """
    return io.TextIOWrapper(io.BytesIO(read_whole(file, most=most, patience=patience)), encoding).read()


def check_regular(file: Path) -> None:
    """Refuse what a library would read to an end that never comes.

    Raises:
        OSError: it can't be looked at, or is a device or a pipe.
    """
    if not stat.S_ISREG(file.stat().st_mode):
        raise OSError(errno.EINVAL, "is no regular file", str(file))


def _has_come(raw: io.FileIO, patience: float) -> bool:
    """Whether there is something to read, or the end; a pipe that was opened by nobody else has neither."""
    if not hasattr(select, "poll"):
        return True
    waiting = select.poll()
    waiting.register(raw, select.POLLIN)
    return bool(waiting.poll(patience * 1000))
