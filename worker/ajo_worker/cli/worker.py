"""Run a worker until it is told to stop."""

import sys
from typing import Annotated

import typer

from ajo_worker.cli.running import read_settings

app = typer.Typer(help="Run a worker: take triggers from the broker, send them, record every dispatch.")


@app.command()
def worker(
    name: Annotated[
        str, typer.Option(help="The worker's name in Flower; %h is the host, %n its first part.")
    ] = "ajo-dispatch@%h",
) -> None:
    """Run a worker until SIGTERM: it takes no more messages, finishes what is in flight, and gives back the rest."""
    read_settings()  # says what is wrong with them; the application reads them when it is imported
    from ajo_worker.app import app as celery_app  # noqa: PLC0415 - see above

    sys.exit(celery_app.worker_main(["--quiet", "worker", "--hostname", name, "--without-gossip", "--without-mingle"]))
