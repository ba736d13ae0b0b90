"""Import campaigns from their cURL samples; list, show and check their definitions.

``ajo-dispatch campaigns …``
"""

import json
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ajo_producers.campaigns.codegen.json_schema import json_schema
from ajo_producers.campaigns.codegen.python import python_source
from ajo_producers.campaigns.definition import Definition
from ajo_producers.campaigns.folder import (
    DEFAULT_FOLDER,
    DefinitionError,
    Definitions,
    UnknownCampaignError,
    foreign,
    load_definitions,
)
from ajo_producers.campaigns.live import Compared
from ajo_producers.cli import campaign_report, live_check
from ajo_producers.cli.import_sample import import_sample
from ajo_producers.cli.options import Folder, campaign_names
from ajo_producers.cli.usage import WrongUsage
from ajo_producers.contract.counted import counted
from ajo_producers.contract.masking import without_repeated
from ajo_producers.contract.writing import writing
from ajo_producers.publishing.environment import read_allowed_hosts
from ajo_producers.publishing.errors import SettingError

app = typer.Typer(add_completion=False, no_args_is_help=True)

STDOUT = Path("-")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback()
def _campaigns() -> None:
    """Import campaigns from their cURL samples; list, show and check their definitions."""


@app.command("import")
def import_(
    sample: Annotated[Path, typer.Argument(metavar="FILE", help="The cURL sample, or - for standard input.")],
    *,
    name: Annotated[str | None, typer.Option(help="The campaign's name; else made from the file's.")] = None,
    one_of: Annotated[
        list[str] | None,
        typer.Option(metavar="VARIABLE", help="Keep the sample's values of it (context.carrier) as the only ones."),
    ] = None,
    folder: Folder = DEFAULT_FOLDER,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be written, and write nothing.")] = False,
) -> None:
    """Write a campaign's definition from the cURL sample that Journey Optimizer shows for it.

    An existing definition is updated: the difference is shown, and what people edited is kept.
    Tokens, API keys and recipients' data in the sample are dropped, but for values that --one-of names.
    """
    import_sample(sample, name, one_of or [], folder, Console(soft_wrap=True, highlight=False), dry_run=dry_run)


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
    name: Annotated[str, typer.Argument(metavar="NAME", help="The campaign's name.", autocompletion=campaign_names)],
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
def check(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Only these, with --live.", autocompletion=campaign_names),
    ] = None,
    *,
    folder: Folder = DEFAULT_FOLDER,
    live: Annotated[bool, typer.Option("--live", help="Compare with Journey Optimizer; needs the worker.")] = False,
    as_json: Json = False,
) -> None:
    """Check all definitions; every fault with file, line and field, and exit code 1 if there is one.

    With --live, compare them with Journey Optimizer as well: status, dates, namespace, throughput, profile creation.
    """
    if names and not live:
        raise typer.BadParameter("only with --live", param_hint="NAME")
    try:
        definitions, problems = load_definitions(folder), []
        if not definitions:
            problems = [f"{folder}: no campaign definitions"]
        if hosts := _allowed_hosts():
            problems += foreign(folder, definitions, hosts)
    except DefinitionError as error:
        definitions, problems = Definitions(), list(error.problems)
    compared: list[Compared] = []
    if live and not problems:
        definitions = _chosen(definitions, names)
        compared = list(live_check.find_live_check()(list(definitions.values())))
        problems = [problem for one in compared for problem in live_check.problems_of(one)]
    problems = [without_repeated(problem, [str(folder)]) for problem in problems]
    if as_json:
        report = {"ok": not problems, "campaigns": sorted(definitions), "problems": problems}
        typer.echo(json.dumps(report | ({"live": list(map(live_check.as_json, compared))} if live else {}), indent=2))
    else:
        for problem in problems:
            typer.echo(f"error: {problem}", err=True)
        if not problems:
            result = "as in Journey Optimizer" if live else "no faults"
            typer.echo(f"{counted(len(definitions), 'campaign definition')} in {folder}: {result}")
    if problems:
        raise typer.Exit(1)


@app.command()
def codegen(
    *,
    folder: Folder = DEFAULT_FOLDER,
    python: Annotated[Path | None, typer.Option(help="Module to write, or - for standard output.")] = None,
    schema: Annotated[Path | None, typer.Option(help="JSON Schema to write, or - for standard output.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit code 1 if a file is out of date.")
    ] = False,
) -> None:
    """Write typed Python of all campaigns, with which an editor completes variables and a type checker misses none.

    The JSON Schema says the same to other languages: of the lines of trigger --from, and of requests.
    """
    if python is None and schema is None:
        raise typer.BadParameter("or --schema FILE: nothing is to be written", param_hint="--python FILE")
    if check and STDOUT in {python, schema}:
        raise typer.BadParameter("compares with files, and standard output is none", param_hint="--check")
    _write_code(_load(folder), python, schema, check=check)


def _write_code(definitions: Definitions, python: Path | None, schema: Path | None, *, check: bool) -> None:
    """Write the files, or only compare them.

    Raises:
        typer.TyperException: a file is not what would be written.
    """
    texts: list[tuple[Path, str]] = []
    if python is not None:
        texts.append((python, python_source(definitions.values())))
    if schema is not None:
        texts.append((schema, json.dumps(json_schema(definitions.values()), indent=2, ensure_ascii=False) + "\n"))
    stale = []
    for path, text in texts:
        if check:
            if not path.is_file() or path.read_text(encoding="utf-8", errors="replace") != text:
                stale.append(f"{path} is not what the definitions say: write it anew, without --check")
        elif path == STDOUT:
            typer.echo(text, nl=False)
        else:
            with writing(path):
                path.write_text(text, encoding="utf-8", newline="\n")
            typer.echo(f"wrote {path} ({counted(len(definitions), 'campaign')})")
    if stale:
        raise typer.TyperException("\n".join(stale))


def _allowed_hosts() -> tuple[str, ...] | None:
    try:
        return read_allowed_hosts(os.environ)
    except SettingError as error:
        raise WrongUsage(str(error)) from error


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


def _chosen(definitions: Definitions, names: list[str] | None) -> Definitions:
    try:
        return Definitions({name: definitions[name] for name in names or definitions})
    except UnknownCampaignError as error:
        raise typer.TyperException(str(error)) from error
