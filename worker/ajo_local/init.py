"""Make a working folder: settings, secrets, a campaign, Docker's compose file; it runs at once."""

import shlex
import shutil
from pathlib import Path
from typing import Annotated

import typer

from ajo_local.child import LocalStackError
from ajo_local.stack import CAMPAIGN, DEFINITION, PROGRAM, SAMPLE
from ajo_local.working_folder import FILLED_IN, make_working_folder

app = typer.Typer(add_completion=False)

ABOUT = {
    ".env": "client id and organization, to be filled in",
    ".gitignore": "keeps secrets out of git",
    "docker-compose.yml": "RabbitMQ, PostgreSQL, migrations, worker, Flower",
    DEFINITION: "an example definition",
    SAMPLE: "the sample that it was imported from",
    "scenario.toml": "how the simulator answers",
    "orders.csv": "triggers to send",
    "events.toml": "which business events trigger which campaign",
    "event.json": "such an event",
}


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="The folder, made if it isn't there.")] = Path(),
) -> None:
    """Make a working folder, and say how to go on. What is there already stays as it is."""
    try:
        done = make_working_folder(folder)
    except LocalStackError as error:
        raise typer.TyperException(str(error)) from error
    if done.made:
        typer.echo(f"Made in {folder}:\n")
        width = max(map(len, ABOUT))
        for place in done.made:
            if not place.startswith("secrets/"):
                typer.echo(f"  {place:{width}}  {ABOUT[place]}")
        if made := sum(place.startswith("secrets/") for place in done.made):
            typer.echo(f"  {'secrets/':{width}}  {made} of them: passwords, keys; {FILLED_IN} is yours to fill in")
    if done.kept:
        typer.echo(f"\nThere already, and left as they are: {', '.join(done.kept)}")
    typer.echo(next_commands(folder))


def next_commands(folder: Path) -> str:
    """How to go on, as people type it."""
    program = PROGRAM.name if shutil.which(PROGRAM.name) == str(PROGRAM) else shlex.quote(str(PROGRAM))
    there = shlex.quote(str(folder.resolve()))
    return f"""
Next, on this machine alone, with a simulated Journey Optimizer:

  cd {there} && {program} dev --campaigns campaigns --scenario scenario.toml --keep data

In another terminal, once it is running:

  cd {there} && . data/env.sh
  ajo-dispatch trigger {CAMPAIGN} --from orders.csv
  ajo-dispatch status

Then with Adobe: fill in .env and secrets/{FILLED_IN}, import your own campaign (ajo-dispatch campaigns import FILE),
and start everything with Docker: docker compose up --detach --wait"""
