"""The journal: one entry for each call to an execution endpoint, in memory and as JSON lines in a file."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct

FLUSH_EVERY = 0.05
"""Seconds between writes to the file; a killed simulator loses at most these."""


class Entry(Struct, kw_only=True):
    """One call. Neither addresses nor tokens are kept.

    ``arrived_at`` is UTC; ``answered_after`` in seconds, null where nothing was answered; ``status`` is what was sent;
    ``accepted`` says whether Journey Optimizer would send the message, whatever the caller learnt of it.
    """

    arrived_at: str
    path: str
    campaign_id: str | None = None
    request_id: str | None = None
    recipients: int = 0
    attempt: int = 0
    status: int | None = None
    fault: str | None = None
    accepted: bool = False
    answered_after: float | None = None


class Journal:
    """Entries are added when the call has come to its end."""

    def __init__(self, path: Path | None = None) -> None:
        self.entries: list[Entry] = []
        self.calls: Counter[str] = Counter()
        self._encode = msgspec.json.Encoder().encode
        self._unwritten: list[bytes] = []
        self._file: IO[bytes] | None = path.open("ab") if path else None
        self._task: asyncio.Task[None] | None = None

    def arrival(self, request_id: str) -> int:
        """Count a call of this request id; which one it is, from 1."""
        self.calls[request_id] += 1
        return self.calls[request_id]

    def add(self, entry: Entry) -> None:
        """Keep an entry."""
        self.entries.append(entry)
        if self._file is not None:
            self._unwritten.append(self._encode(entry))

    def accepted(self) -> Counter[str]:
        """How often each request id was accepted."""
        return Counter(entry.request_id for entry in self.entries if entry.accepted and entry.request_id)

    def clear(self) -> None:
        """Forget all entries in memory; the file keeps them."""
        self.entries.clear()
        self.calls.clear()

    def start(self) -> None:
        """Begin to write; needs a running event loop."""
        if self._file is not None:
            self._task = asyncio.create_task(self._write(), name="journal")

    async def stop(self) -> None:
        """Write what is left and close the file."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._flush()
        if self._file is not None:
            self._file.close()

    async def _write(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_EVERY)
            self._flush()

    def _flush(self) -> None:
        if self._file is not None and self._unwritten:
            lines, self._unwritten = self._unwritten, []
            self._file.write(b"\n".join(lines) + b"\n")
            self._file.flush()
