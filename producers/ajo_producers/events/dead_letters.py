"""Dead letters of events: what no mapping takes, and what has faults, kept as it came with the reasons.

A file of them holds personal data: nobody but its owner may read it. ``ajo-dispatch events read`` takes it as it is.
"""

import base64
import os
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from ajo_producers.contract.writing import writing
from ajo_producers.events.answers import faults_of
from ajo_producers.events.event import BadEvent
from ajo_producers.events.log import tell
from ajo_producers.events.translation import Translation

MAX_FILE_BYTES = 1_000_000_000
"""Nothing is added to a longer file: whoever sends nonsense must not fill the disk."""


class DeadLetterFile:
    """Adds to a file, a JSON object a line; each call is on disk when it returns. Threads may share one."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, threading.Lock()
        self._told = False
        os.close(self._opened())  # what can't be written is told at the start

    def keep(self, letters: Iterable[Translation | BadEvent], via: str) -> bool:
        """Keep them; False if the file is too long already, which is told once.

        Raises:
            OSError: they can't be written.
        """
        lines = b"".join(msgspec.json.encode(letter_of(one, via)) + b"\n" for one in letters)
        with self._lock:
            file = self._opened()
            try:
                if os.fstat(file).st_size >= MAX_FILE_BYTES:
                    if not self._told:
                        tell("dead-letters-full", "error", file=str(self._path), bytes=MAX_FILE_BYTES)
                    self._told = True
                    return False
                with writing(self._path):
                    with os.fdopen(os.dup(file), "ab") as stream:
                        stream.write(lines)
                    os.fsync(file)
            finally:
                os.close(file)
        return True

    def _opened(self) -> int:
        return os.open(self._path, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o600)


def letter_of(one: Translation | BadEvent, via: str) -> dict[str, Any]:
    """A dead letter as JSON: when, from where and why, and the event as it came."""
    about = {"at": datetime.now(UTC), "via": via, "faults": faults_of(one.faults)}
    if isinstance(one, Translation):
        return {"dead_letter": about, "event": one.event.document}
    value = one.value
    if isinstance(value, bytes):
        return {"dead_letter": about, "base64": base64.b64encode(value).decode()}
    return {"dead_letter": about, "event": value}
