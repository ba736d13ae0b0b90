"""Import campaigns from their cURL samples; list, show and check their definitions.

``ajo-dispatch campaigns …``
"""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ajo_producers.campaigns.definition import Definition
from ajo_producers.campaigns.folder import DefinitionError, Definitions, UnknownCampaignError, load_definitions
from ajo_producers.cli import campaign_report
from ajo_producers.cli.import_sample import import_sample

app = typer.Typer(add_completion=False, no_args_is_help=True)

Folder = Annotated[Path, typer.Option("--dir", envvar="AJO_CAMPAIGNS", help="Folder of campaign definitions.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DEFAULT_FOLDER = Path("campaigns")


@app.callback()
def _campaigns() -> None:
    """Import campaigns from their cURL samples; list, show and check their definitions."""


@app.command("import")
def import_(
    sample: Annotated[Path, typer.Argument(metavar="FILE", help="The cURL sample, or - for standard input.")],
    *,
    name: Annotated[str | None, typer.Option(help="The campaign's name; else made from the file's.")] = None,
    folder: Folder = DEFAULT_FOLDER,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be written, and write nothing.")] = False,
) -> None:
    """Write a campaign's definition from the cURL sample that Journey Optimizer shows for it.

    An existing definition is updated: the difference is shown, and what people edited is kept.
    Tokens, API keys and recipients' data in the sample are dropped.
    """
    import_sample(sample, name, folder, Console(soft_wrap=True, highlight=False), dry_run=dry_run)


@app.command("list")
def list_(*, folder: Folder = DEFAULT_FOLDER, as_json: Json = False) -> None:
    """List all campaigns."""
    definitions = _load(folder)
    if as_json:
        typer.echo(json.dumps([campaign_report.summary(definition) for definition in definitions.values()], indent=2))
    elif definitions:
        campaign_report.make_console().print(campaign_report.overview(definitions.values()))
    else:
        typer.echo(f"no campaign definitions in {folder}; begin with: ajo-dispatch campaigns import FILE", err=True)


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The campaign's name.")],
    *,
    folder: Folder = DEFAULT_FOLDER,
    as_json: Json = False,
) -> None:
    """Show what a trigger of a campaign must bring, with an example."""
    definition = _find(folder, name)
    if as_json:
        typer.echo(json.dumps(campaign_report.details(definition), indent=2))
    else:
        campaign_report.show(definition, str(folder), campaign_report.make_console())


@app.command()
def check(*, folder: Folder = DEFAULT_FOLDER, as_json: Json = False) -> None:
    """Check all definitions; every fault with file, line and field, and exit code 1 if there is one."""
    try:
        names, problems = sorted(load_definitions(folder)), []
        if not names:
            problems = [f"{folder}: no campaign definitions"]
    except DefinitionError as error:
        names, problems = [], list(error.problems)
    if as_json:
        typer.echo(json.dumps({"ok": not problems, "campaigns": names, "problems": problems}, indent=2))
    else:
        for problem in problems:
            typer.echo(f"error: {problem}", err=True)
        if not problems:
            typer.echo(f"{len(names)} campaign definition{'s' * (len(names) != 1)} in {folder}: no faults")
    if problems:
        raise typer.Exit(1)


def _load(folder: Path) -> Definitions:
    try:
        return load_definitions(folder)
    except DefinitionError as error:
        raise typer.TyperException(str(error)) from error


def _find(folder: Path, name: str) -> Definition:
    try:
        return _load(folder)[name]
    except UnknownCampaignError as error:
        raise typer.TyperException(str(error)) from error
