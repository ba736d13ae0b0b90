"""Triggers within your own database transactions: the outbox's table, its relay, and what waits in it.

``ajo-dispatch outbox sql | relay | status | retry | key``
"""

import asyncio
import json
import os
from datetime import UTC
from typing import Annotated, Any

import typer

from ajo_producers.cli.outbox_relay import run_relay
from ajo_producers.cli.usage import WrongUsage
from ajo_producers.contract.counted import counted
from ajo_producers.entrance.address import LOOPBACK, address
from ajo_producers.outbox.database import OutboxUnavailable, connected
from ajo_producers.outbox.lag import Lag, look
from ajo_producers.outbox.settings import RelaySettings, read_relay, read_table
from ajo_producers.outbox.statements import RETRY
from ajo_producers.outbox.table import create_statements, drop_statements
from ajo_producers.publishing.errors import SettingError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Triggers within your own database transactions: the outbox's table, its relay, and what waits in it.",
)


def settings() -> RelaySettings:
    """The settings.

    Raises:
        WrongUsage: one of them can't be used.
    """
    try:
        return read_relay(os.environ)
    except SettingError as wrong:
        raise WrongUsage(str(wrong)) from None


@app.command()
def sql(*, drop: Annotated[bool, typer.Option("--drop", help="Those that remove it.")] = False) -> None:
    """Print the statements that make the outbox's table (AJO_OUTBOX_TABLE), for your own migrations, or for psql."""
    try:
        table = read_table(os.environ)
    except SettingError as wrong:
        raise WrongUsage(str(wrong)) from None
    for statement in (drop_statements if drop else create_statements)(table):
        typer.echo(f"{statement};")


@app.command()
def relay(
    *,
    metrics_host: Annotated[
        str, typer.Option(help="Address of the metrics; 0.0.0.0 for all.", callback=address)
    ] = LOOPBACK,
    metrics_port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Serve Prometheus' metrics here; 0 for a free port.")
    ] = None,
) -> None:
    """Publish what the outbox holds, until SIGTERM or Ctrl-C: then what is on its way is confirmed, and it ends with 0.

    A second signal cuts it off (exit code 1), and loses nothing. As many as you like may run at once. Whatever the
    database or the broker do, it goes on, and says so once. AJO_OUTBOX_URL is the database, AJO_BROKER_URL the broker.
    """
    run_relay(settings(), metrics_host, metrics_port)


@app.command()
def status(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show what waits in the outbox, and what can't be published. Exit code 1 if there is such, or if one is late.

    Late is what waits for longer than AJO_OUTBOX_LATE, 60 seconds by default.
    """
    told = settings()
    lag = _finish(look(told))
    late = lag.oldest_seconds > told.late
    if as_json:
        typer.echo(json.dumps(_as_json(lag, late=late), indent=2, default=str))
    else:
        _show(lag, told)
    if late or lag.faulty:
        raise typer.Exit(1)


@app.command()
def retry() -> None:
    """Try again what couldn't be published, such as after its key was added to AJO_OUTBOX_KEYS."""
    told = settings()

    async def run() -> str:
        async with connected(told) as connection:
            return str(await connection.execute(RETRY.format(table=told.table)))

    typer.echo(f"rows that are tried again: {_finish(run()).rpartition(' ')[2]}")


@app.command()
def key() -> None:
    """Print a fresh key for AJO_OUTBOX_KEYS. Its id goes to the error stream."""
    from ajo_producers.contract.sealing import key_id_of, new_key  # noqa: PLC0415 - no other command needs it

    made = new_key()
    typer.echo(made)
    typer.echo(f"That is key {key_id_of(made)}. Of AJO_OUTBOX_KEYS the first one encrypts. Keep a copy.", err=True)


def _finish(work: Any) -> Any:  # noqa: ANN401 - a coroutine, and its result
    try:
        return asyncio.run(work)
    except OutboxUnavailable as problem:
        raise typer.TyperException(str(problem)) from None


def _as_json(lag: Lag, *, late: bool) -> dict[str, Any]:
    return {
        "waiting": lag.waiting,
        "oldest_seconds": lag.oldest_seconds,
        "late": late,
        "ways": [vars(way) for way in lag.ways],
        "kept": lag.kept,
        "faulty": lag.faulty,
        "faults": lag.faults,
    }


def _show(lag: Lag, told: RelaySettings) -> None:
    since = f", the oldest since {lag.oldest_seconds:.1f} s" if lag.waiting else ""
    typer.echo(f"{counted(lag.waiting, 'trigger')} {'waits' if lag.waiting == 1 else 'wait'}{since}")
    for way in lag.ways:
        if way.waiting:
            typer.echo(f"  {way.lane}, {way.priority}: {way.waiting:,}, since {way.oldest_seconds or 0:.1f} s")
    if told.keep:
        typer.echo(f"{lag.kept:,} published ones are kept for {told.keep:g} s")
    if lag.faulty:
        typer.echo(f"rows that can't be published: {lag.faulty:,}")
    for fault in lag.faults:
        at = fault["added_at"].astimezone(UTC)
        typer.echo(f"  {fault['id']}  {at:%Y-%m-%d %H:%M:%S}  {fault['campaign']}  {fault['request_id']}")
        typer.echo(f"    {fault['fault']}")
    if lag.faulty:
        typer.echo("once that is mended: ajo-dispatch outbox retry")
