"""List every setting: its value, where that comes from, and what it means.

``ajo-dispatch settings``
"""

import os
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from ajo_worker.cli.printing import cell, make_console, make_table, print_json
from ajo_worker.cli.running import WrongSettings
from ajo_worker.settings.listing import Setting, check_settings

app = typer.Typer(add_completion=False)

WIDE = 150
"""Columns from which on the descriptions stand beside the values."""


@app.command()
def settings(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List every setting: its value, where that comes from (default, env, file), and what it means.

    Secrets are hidden; an address with a password shows where it leads to.

    All faults are told at once; the exit code is 2 then.
    """
    checked = check_settings(os.environ)
    if as_json:
        print_json(checked)
        if not checked.ok:
            raise typer.Exit(WrongSettings.exit_code)
        return
    if checked.ok:
        show_settings(checked.settings, make_console())
    for unknown in checked.unknown:
        meant = f"; did you mean {unknown.did_you_mean}?" if unknown.did_you_mean else ""
        typer.echo(f"warning: {cell(unknown.variable)} is the name of no setting{meant}", err=True)
    if not checked.ok:
        raise WrongSettings("\n".join(checked.faults))


def show_settings(found: list[Setting], console: Console) -> None:
    """Print the settings: a line for each where there is room, else with the description below the value."""
    wide = console.width >= WIDE
    table = make_table("Variable", "Value", *(("From", "Meaning") if wide else ()))
    for setting in found:
        variable, value = Text(setting.variable, "bold"), cell(text_of(setting.value))
        if wide:
            table.add_row(variable, value, setting.source, cell(setting.description))
        else:
            about = Text.assemble(value, "\n", cell(setting.description), "\n")
            table.add_row(Text.assemble(variable, f"\n  {setting.source}"), about)
    console.print(table)


def text_of(value: object) -> str:
    """A value as people set it in the environment."""
    match value:
        case None:
            return "(not set)"
        case []:
            return "(none)"
        case list():
            return ",".join(map(str, value))
        case float():
            return f"{value:.15g}"
    return str(value)
