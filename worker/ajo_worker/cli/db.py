"""Bring the ledger's database up to date, or back."""

from typing import Annotated

import typer

from ajo_worker.cli.running import finish, read_settings
from ajo_worker.ledger import schema
from ajo_worker.ledger.database import place

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Bring the ledger's database up to date, or back.")


@app.command()
def upgrade() -> None:
    """Apply the migrations that are missing, and make the daily partitions of the coming two weeks."""
    url = read_settings().database_url.get_secret_value()
    before = finish(schema.current(url))
    partitions = finish(schema.upgrade(url, typer.echo))
    if partitions:
        typer.echo(f"made {len(partitions)} partitions: {partitions[0]} to {partitions[-1]}")
    newest = schema.newest()
    typer.echo(f"{place(url)} {'was already' if before == newest else 'is now'} at {newest}")


@app.command()
def downgrade(
    to: Annotated[str, typer.Option(help="The migration to go back to; 'base' takes back all of them.")],
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Take migrations back. What their tables hold is lost."""
    url = read_settings().database_url.get_secret_value()
    if finish(schema.current(url)) is None:
        typer.echo(f"{place(url)} has no ledger: nothing to do")
        return
    if not yes:
        typer.confirm(f"This deletes what {place(url)} holds in the tables after {to!r}. Go on?", abort=True)
    finish(schema.downgrade(url, to, typer.echo))
    typer.echo(f"{place(url)} is now at {finish(schema.current(url)) or 'base: no ledger'}")


@app.command()
def current() -> None:
    """Say which migration the database is at; exit code 1 if it is not the newest."""
    url = read_settings().database_url.get_secret_value()
    found, newest = finish(schema.current(url)), schema.newest()
    if found == newest:
        typer.echo(f"{place(url)} is at {found}, the newest")
        return
    typer.echo(f"{place(url)} {f'is at {found}' if found else 'has no ledger'}; newest is {newest}: run 'db upgrade'")
    raise typer.Exit(1)
