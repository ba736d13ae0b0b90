"""How far a file has been read and published, on one line of the terminal; silent where there is no terminal."""

import os
import stat
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import BinaryIO, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from ajo_producers.cli.trigger_outcome import FileOutcome


class ProgressLine(AbstractContextManager["ProgressLine"]):
    """The line, by how far ``file`` has been read. ``done`` is what good lines are then."""

    def __init__(self, console: Console, file: BinaryIO, done: str) -> None:
        self._file = file
        self._progress = Progress(
            BarColumn(),
            TaskProgressColumn(),
            TextColumn(f"{{task.fields[confirmed]:,}} {done}, {{task.fields[refused]:,}} refused"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("", total=_size(file), confirmed=0, refused=0)

    def show(self, outcome: FileOutcome) -> None:
        """Bring the line up to date."""
        with suppress(OSError, ValueError):  # a pipe doesn't know
            self._progress.update(self._task, completed=self._file.tell())
        self._progress.update(self._task, confirmed=outcome.confirmed, refused=outcome.refused)

    def __enter__(self) -> Self:
        """Show it."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take it away."""
        self._progress.stop()


def _size(file: BinaryIO) -> int | None:
    """Bytes of a regular file; None for a pipe, whose end nobody knows."""
    try:
        status = os.fstat(file.fileno())
    except (OSError, ValueError):
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None
