"""Live progress of a local run, read from the ledger: a bar in a terminal, plain lines elsewhere."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import asyncpg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ajo_local.child import Child, LocalStackError
from ajo_local.processes import Processes

POLL_SECONDS = 0.2
PLAIN_LINE_SECONDS = 2

TALLY = """
    SELECT count(*), count(*) FILTER (WHERE state NOT IN ('sending', 'parked')),
        count(*) FILTER (WHERE state = 'accepted'), coalesce(sum(attempts), 0)::int
    FROM audit.triggers
"""


@dataclass(frozen=True)
class Tally:
    """How far a run is: triggers that the ledger knows, those finished, those accepted, and attempts made."""

    known: int = 0
    finished: int = 0
    accepted: int = 0
    attempts: int = 0

    def __str__(self) -> str:
        return (
            f"{self.known:,} taken by the worker, {self.finished:,} finished, {self.accepted:,} accepted, "
            f"{self.attempts:,} attempts"
        )


async def follow(
    connection: asyncpg.Connection,
    processes: Processes,
    publisher: Child,
    console: Console,
    *,
    triggers: int,
    timeout: float,
) -> None:
    """Show the progress until so many triggers are finished; ``timeout`` is in seconds.

    Raises:
        LocalStackError: a process ended that should be running, the publisher failed, or the time passed.
    """
    deadline = time.monotonic() + timeout
    with _display(console, triggers) as show:
        while True:
            [counts] = await connection.fetch(TALLY)
            tally = Tally(*counts)
            show(tally)
            if publisher.popen.poll() not in {None, 0}:
                raise LocalStackError(f"the publisher {publisher.ending()}; it printed:\n{publisher.tail()}")
            if tally.finished >= triggers:
                return
            processes.check(except_for=publisher)
            if time.monotonic() > deadline:
                raise LocalStackError(f"not finished within {timeout:g} s: {tally}")
            await asyncio.sleep(POLL_SECONDS)


@contextmanager
def _display(console: Console, triggers: int) -> Iterator[Callable[[Tally], None]]:
    if not console.is_terminal:
        yield _plain(console)
        return
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[tally]}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("triggers", total=triggers, tally=Tally())
        yield lambda tally: progress.update(task, completed=tally.finished, tally=tally)


def _plain(console: Console) -> Callable[[Tally], None]:
    """Shows a line when there is something new, and not more often than every few seconds."""
    shown, shown_at = Tally(), time.monotonic()

    def show(tally: Tally) -> None:
        nonlocal shown, shown_at
        if tally != shown and time.monotonic() - shown_at >= PLAIN_LINE_SECONDS:
            console.print(str(tally))
            shown, shown_at = tally, time.monotonic()

    return show
