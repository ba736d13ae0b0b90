"""Serve alerts and figures of the ledger to Prometheus.

``ajo-dispatch metrics [--port 9464] [--once]``
"""

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from typing import Annotated

import typer
from ajo_producers.contract.authority import authority
from ajo_producers.contract.stop_signals import stop_signals
from ajo_producers.entrance.address import LOOPBACK, Host
from ajo_producers.entrance.standard_error import write_line

from ajo_worker.cli.running import read_settings
from ajo_worker.daemon_threads import DaemonThreads
from ajo_worker.metrics.server import Figures, serve
from ajo_worker.settings import renewed

app = typer.Typer(add_completion=False)

LONGEST = 60.0


@app.command()
def metrics(
    *,
    host: Host = LOOPBACK,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 for a free one.")] = 9464,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="What a scrape may take; Prometheus' own limit is 10 by default.")
    ] = 8,
    once: Annotated[bool, typer.Option("--once", help="Print the metrics once, and end.")] = False,
) -> None:
    """Serve alerts and figures of the ledger in Prometheus' text format, read anew at each scrape.

    Prints “listening on URL”, and ends at SIGTERM or Ctrl-C. What can't be read is missing; ajo_ledger_up and
    ajo_figure_read say so.
    """
    if not 0 < timeout <= LONGEST:
        raise typer.BadParameter(f"must be above 0 and at most {LONGEST:g} seconds", param_hint="--timeout")
    url = renewed(read_settings(), "database_url").now
    if once:
        _print_once(url, timeout)
        return
    asyncio.run(_serve(url, timeout, host, port))


async def _serve(url: Callable[[], str], timeout: float, host: str, port: int) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.set_default_executor(DaemonThreads())
    for number in stop_signals():
        loop.add_signal_handler(number, stop.set)
    try:
        server, bound = await serve(Figures(url, timeout, write_line), host, port)
    except OSError as error:
        known = error.errno and error.errno > 0 and not isinstance(error, socket.gaierror)
        reason = os.strerror(error.errno) if known and error.errno else error.strerror
        raise typer.TyperException(f"can't listen on {host}:{port}: {reason}") from None
    typer.echo(f"listening on http://{authority(host, bound)}/metrics")
    sys.stdout.flush()
    await stop.wait()
    server.close()


def _print_once(url: Callable[[], str], timeout: float) -> None:
    missed: list[str] = []
    _, page = asyncio.run(Figures(url, timeout, missed.append).page(""))
    typer.echo(page.decode(), nl=False)
    if missed:
        raise typer.TyperException(missed[0])
