"""What is made of files that may change while a program runs: secrets are rotated, certificates are renewed."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")

AGAIN_SECONDS = 1.0
"""Until what failed is tried again, though its files are the same."""


class Renewed(Generic[T]):
    """What ``make`` made of ``files``, and makes anew once one of them has changed: each look costs a few microseconds.

    Where that fails, what was made before is used on, and it is tried again now and then, as the fault may be another
    one's (no more files may be opened); that is told once for each change. ``tell`` gets the name of
    ``what`` has changed, and why that can't be used; None if it can.
    """

    def __init__(
        self,
        what: str,
        files: Iterable[Path],
        make: Callable[[], T],
        tell: Callable[[str, str | None], None],
        first: T | None = None,
    ) -> None:
        self._what, self._files, self._make, self._tell = what, tuple(files), make, tell
        self._seen = self._failed = self._look()
        self._again_at = 0.0
        self._made = make() if first is None else first

    def now(self) -> T:
        """The newest that could be made."""
        seen = self._look()
        if seen != self._seen and (seen != self._failed or time.monotonic() >= self._again_at):
            try:
                self._made = self._make()
            except (OSError, ValueError) as fault:
                known, self._failed, self._again_at = self._failed, seen, time.monotonic() + AGAIN_SECONDS
                if seen != known:
                    self._tell(self._what, "; ".join(str(fault).splitlines()))
            else:
                self._seen = self._failed = seen
                self._tell(self._what, None)
        return self._made

    def _look(self) -> tuple[tuple[int, ...] | None, ...]:
        """What tells that a file is another one, or was written again; links are followed."""
        return tuple(map(_stamp, self._files))


def _stamp(file: Path) -> tuple[int, ...] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
