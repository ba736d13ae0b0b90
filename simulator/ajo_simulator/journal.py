"""The journal: one entry for each call, in memory and as a JSON line in a file.

A line is written as soon as it is decided what becomes of the call, and before any of the answer: an acceptance that a
caller may know of is in the file, even if the simulator is killed right afterwards.
"""

import os
from collections import Counter
from datetime import UTC, datetime
from errno import ENOSPC
from io import FileIO
from pathlib import Path

import msgspec
from msgspec import Struct, field

NEWLINE = b"\n"


def now() -> str:
    """This instant, as the journal has it: UTC, to the microsecond."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


class Entry(Struct, kw_only=True, gc=False):
    """One call. Neither addresses nor tokens are kept.

    ``arrived_at`` is UTC; ``waited`` is how many seconds the call had lain in the socket by then. ``status`` is what
    was answered, and ``answered_after`` how many seconds later the answer began, both null where nothing was;
    ``error`` is an error's title; ``attempt`` counts the calls of a request id from 1; ``accepted`` says whether
    Journey Optimizer would send the message, whatever the caller learnt of it.
    """

    arrived_at: str = field(default_factory=now)
    path: str
    campaign_id: str | None = None
    request_id: str | None = None
    recipients: int = 0
    attempt: int = 0
    status: int | None = None
    error: str | None = None
    fault: str | None = None
    accepted: bool = False
    execution_id: str | None = None
    answered_after: float | None = None
    waited: float = 0.0


class Journal:
    """Entries in the order in which they were decided on.

    A file that is there already is continued, on a new line even if its last one was never finished.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.entries: list[Entry] = []
        self.calls: Counter[str] = Counter()
        self._accepted: set[str] = set()
        self._encode = msgspec.json.Encoder().encode
        self._torn = path is not None and path.is_file() and _last_byte(path) not in {b"", NEWLINE}
        self._file: FileIO | None = path.open("ab", buffering=0) if path else None

    def arrival(self, request_id: str) -> int:
        """Count a call of this request id; which one it is, from 1."""
        self.calls[request_id] += 1
        return self.calls[request_id]

    def add(self, entry: Entry) -> None:
        """Keep an entry; on return it is in the hands of the operating system.

        Raises:
            OSError: the file can't be written; the entry is not kept.
        """
        if self._file is not None:
            line = (NEWLINE if self._torn else b"") + self._encode(entry) + NEWLINE
            self._torn = self._file.write(line) < len(line)
            if self._torn:
                raise OSError(ENOSPC, os.strerror(ENOSPC))
        self.entries.append(entry)
        if entry.accepted and entry.request_id:
            self._accepted.add(entry.request_id)

    def lines(self) -> bytes:
        """All entries in memory as JSON lines."""
        return b"".join(self._encode(entry) + NEWLINE for entry in self.entries)

    def accepted(self) -> Counter[str]:
        """How often each request id was accepted."""
        return Counter(entry.request_id for entry in self.entries if entry.accepted and entry.request_id)

    def has_accepted(self, request_id: str) -> bool:
        """Whether a call of this request id was accepted before."""
        return request_id in self._accepted

    def clear(self) -> None:
        """Forget all entries in memory; the file keeps them."""
        self.entries.clear()
        self.calls.clear()
        self._accepted.clear()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def _last_byte(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(file.seek(0, 2) - 1, 0))
        return file.read(1)
