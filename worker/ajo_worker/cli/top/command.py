"""Watch what goes on: rates, what is sending, who delays, outages, alerts.

``ajo-dispatch top [--every 2] [--once]``
"""

import asyncio
import os
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Annotated

import typer
from rich.live import Live

from ajo_worker.cli.printing import make_console
from ajo_worker.cli.running import finish, read_settings
from ajo_worker.cli.top.frame import frame
from ajo_worker.ledger.database import DatabaseError, snapshot
from ajo_worker.reports.pulse import Pulse, read_pulse
from ajo_worker.settings import renewed

app = typer.Typer(add_completion=False)

SHORTEST, LONGEST = 0.5, 3600.0
REST = 4
"""After a frame that took a second to read, the ledger has at least so many seconds of rest."""


@app.command()
def top(
    *,
    every: Annotated[float, typer.Option(metavar="SECONDS", help="How often to look, at most.")] = 2,
    once: Annotated[bool, typer.Option("--once", help="Print one frame; also where no terminal reads it.")] = False,
) -> None:
    """Watch what goes on, until q or Ctrl-C: rates of the last 10 seconds, who delayed triggers of the last 5 minutes.

    Rates and flights are of this moment; delays are as far as workers have rolled them up.
    """
    if not SHORTEST <= every <= LONGEST:
        raise typer.BadParameter(f"must be {SHORTEST:g} to {LONGEST:,g} seconds", param_hint="--every")
    url = renewed(read_settings(), "database_url").now
    if once or not sys.stdout.isatty():
        make_console().print(frame(finish(_read(url()))))
        return
    with suppress(KeyboardInterrupt):  # the usual way out
        finish(_watch(url, every))


async def _read(url: str) -> Pulse:
    async with snapshot(url) as connection:
        return await read_pulse(connection)


async def _watch(url: Callable[[], str], every: float) -> None:
    """Show frame after frame until q is pressed. The first one must succeed; later a ledger may be away for a while."""
    loop, left = asyncio.get_running_loop(), asyncio.Event()
    pulse = await _read(url())
    with _keys(loop, left), Live(frame(pulse), console=make_console(), screen=True, auto_refresh=False) as live:
        live.refresh()
        took = 0.0
        while not left.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(left.wait(), max(every, REST * took))
                return
            begin, trouble = loop.time(), None
            try:
                pulse = await _read(url())
            except DatabaseError as problem:
                trouble = str(problem)
            took = loop.time() - begin
            live.update(frame(pulse, trouble), refresh=True)


@contextmanager
def _keys(loop: asyncio.AbstractEventLoop, left: asyncio.Event) -> Iterator[None]:
    """Take keys one by one while it lasts, without showing them; q sets ``left``."""
    if not sys.stdin.isatty():
        yield
        return
    file = sys.stdin.fileno()
    before = termios.tcgetattr(file)
    tty.setcbreak(file)

    def read() -> None:
        pressed = os.read(file, 64)
        if not pressed or b"q" in pressed.lower():  # nothing: the terminal has gone
            left.set()

    loop.add_reader(file, read)
    try:
        yield
    finally:
        loop.remove_reader(file)
        termios.tcsetattr(file, termios.TCSADRAIN, before)
