"""Bring the ledger's database up to date, or back, and keep it in order."""

from typing import Annotated

import typer
from ajo_producers.contract.counted import counted
from ajo_producers.contract.masking import has_address

from ajo_worker.cli.authority import read_text
from ajo_worker.cli.running import WrongSettings, finish, read_settings
from ajo_worker.ledger import schema
from ajo_worker.ledger.database import connected, place
from ajo_worker.ledger.retention import Ages, Tidied, tidy
from ajo_worker.ledger.upkeep import PURGE
from ajo_worker.settings.source import source_of

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Bring the ledger's database up to date, or back.")


@app.command()
def upgrade() -> None:
    """Apply the migrations that are missing, and make the daily partitions of the coming two weeks."""
    url = _named()
    before = finish(schema.current(url))
    partitions = finish(schema.upgrade(url, typer.echo))
    if partitions:
        typer.echo(f"made {len(partitions)} partitions: {partitions[0]} to {partitions[-1]}")
    newest = schema.newest()
    typer.echo(f"{place(url)} {'was already' if before == newest else 'is now'} at {newest}")


@app.command()
def maintain() -> None:
    """Make the daily partitions of the coming two weeks, and drop what is older than the settings say.

    Workers do the same every six hours. Writers never wait for it for more than 2 s. The exit code is 1 if somebody
    reads for so long that it must be repeated.
    """
    settings = read_settings()
    url = settings.database_url.get_secret_value()
    ages = Ages(settings.dead_letter_days, settings.retention_days, settings.report_days)
    made, done = finish(_maintain(url, ages))
    if made:
        typer.echo(f"made {counted(len(made), 'partition')}: {made[0]} to {made[-1]}")
    if done is None:
        raise typer.TyperException("a worker, or another 'db maintain', is at it just now")
    for name in done.partitions:
        typer.echo(f"dropped partition {name}")
    for table, rows in done.rows.items():
        typer.echo(f"{table}: {counted(rows, 'row')}")
    if done.held_up:
        raise typer.TyperException(
            f"{place(url)} is being read for long (a backup?), so old partitions stayed: repeat it when that is over"
        )
    if not (made or done.partitions or done.rows):
        typer.echo("nothing to do")


async def _maintain(url: str, ages: Ages) -> tuple[list[str], Tidied | None]:
    made = await schema.make_partitions(url, typer.echo)
    async with connected(url) as connection:
        await connection.execute(PURGE, ages.dead_letters)
        return made, await tidy(connection, ages)


@app.command()
def downgrade(
    to: Annotated[str, typer.Option(help="The migration to go back to; 'base' takes back all of them.")],
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Take migrations back. What their tables hold is lost."""
    read_text(to, "--to")
    if has_address(to):  # Alembic would take it apart, and repeat a part of it
        raise typer.BadParameter("must be a migration, such as 0001, or base", param_hint="--to")
    url = _named()
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


def _named() -> str:
    """The database whose tables are changed: somebody must have named it.

    Raises:
        WrongSettings: nobody has, or a setting is bad.
    """
    url = read_settings().database_url.get_secret_value()
    if source_of("database_url") == "default":
        raise WrongSettings(
            "AJO_DATABASE_URL is not set: no tables are made or dropped in a database that nobody named; set it to the "
            "ledger's, such as postgresql://USER:PASSWORD@HOST/DATABASE (or AJO_DATABASE_URL_FILE to a file that "
            "holds it)"
        )
    return url
