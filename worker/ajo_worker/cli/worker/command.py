"""Run a worker until it is told to stop."""

import logging
import os
import re
import sys
from contextlib import suppress
from typing import Annotated

import typer

from ajo_worker.cli.running import WrongSettings, read_settings, ways_of
from ajo_worker.cli.worker.restarting import numbered
from ajo_worker.identity import worker_id
from ajo_worker.settings import Settings, missing_credentials

app = typer.Typer(help="Run a worker: take triggers from the broker, send them, record every dispatch.")


_PART = r"(?:[\w.-]|%[hnd])+"
NAME = re.compile(rf"{_PART}(?:@{_PART})?", re.ASCII)
"""A name that Celery makes queues of, and Flower addresses: with the host's name, its first part, its domain."""


MOST_PROCESSES = 256
"""Of one parent: a slip of the finger must not take all of a machine's memory."""


def _checked(name: str | None) -> str | None:
    if name is not None and not NAME.fullmatch(name):
        raise typer.BadParameter("must be letters, digits, ., _, - and %h, %n or %d, such as mail@%h")
    return name


@app.command()
def worker(
    name: Annotated[
        str | None,
        typer.Option(
            help="The worker's name in Flower; %h is the host, %n its first part. "
            "By default it ends with that of the worker's id in the ledger.",
            show_default=False,
            callback=_checked,
        ),
    ] = None,
    processes: Annotated[
        int,
        typer.Option(
            min=1,
            max=MOST_PROCESSES,
            help="So many workers under one parent, which restarts one that fails, passes signals on and ends as one. "
            "Each has all of AJO_MAX_IN_FLIGHT, AJO_PREFETCH and the connections of a worker.",
        ),
    ] = 1,
) -> None:
    """Run a worker until SIGTERM: it takes no more messages, finishes what is in flight, and gives back the rest.

    SIGQUIT, or a second signal, ends it within 5 seconds; what was in flight is then taken over by other workers.
    """
    from ajo_worker.intake.stop_signals import note_signals, told_to_stop  # noqa: PLC0415 - Celery takes its time

    note_signals()
    settings = read_settings()  # says what is wrong with them; the application reads them when it is imported
    if missing := missing_credentials(settings):
        raise WrongSettings(missing)
    ways_of(settings)
    if processes > 1 and not told_to_stop():
        name = _one_of(processes, name, settings)
    from ajo_worker.app import app as celery_app  # noqa: PLC0415 - see above
    from ajo_worker.intake.program import default_name, run  # noqa: PLC0415 - see above

    code = 0 if told_to_stop() else run(celery_app, name or default_name(worker_id()))
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # a worker may be started without
            with suppress(OSError):
                stream.flush()
    os._exit(code)  # Python would wait for threads that ask for the address of a name, for up to 30 s


def _one_of(count: int, name: str | None, settings: Settings) -> str | None:
    """Become the parent of so many workers, and end with them; in each worker's process, its name."""
    from ajo_worker.cli.worker.parent import Parent  # noqa: PLC0415 - it knows Celery's signals, see above
    from ajo_worker.logs import configure_logs  # noqa: PLC0415 - as above

    configure_logs(settings.log_level, settings.log_format)
    parent = Parent(count)
    code = parent.run()
    if code is None:
        return name and numbered(name, parent.number)
    raise typer.Exit(code)
