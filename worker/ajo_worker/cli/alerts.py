"""Say what needs somebody now, whom, and what to do first.

``ajo-dispatch alerts [--json]``
"""

from typing import Annotated

import typer
from rich.console import Console

from ajo_worker.cli.printing import cell, make_console, print_json
from ajo_worker.cli.running import finish, read_settings
from ajo_worker.ledger.database import snapshot
from ajo_worker.views.alerts import Alert, Alerts
from ajo_worker.views.alerts import alerts as read_alerts
from ajo_worker.words import instant

app = typer.Typer(add_completion=False)


@app.command()
def alerts(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Say what needs somebody now: a line for each alert, pages first, with the command to begin with.

    The exit code is 0 if there is none, and 1 if there is any. Thresholds, and whom each alert is for, are rows of the
    table ledger.alert_thresholds.
    """
    found = finish(_read(read_settings().database_url.get_secret_value()))
    if as_json:
        print_json(found)
    else:
        show_alerts(found, make_console())
    if found.alerts:
        raise typer.Exit(1)


async def _read(url: str) -> Alerts:
    async with snapshot(url) as connection:
        return await read_alerts(connection)


def show_alerts(found: Alerts, console: Console) -> None:
    """Print them."""
    if not found.alerts:
        console.print(f"Nothing needs anybody ({instant(found.at)}).", markup=False)
        return
    for alert in found.alerts:
        console.print(cell(line(alert)), soft_wrap=True)


def line(alert: Alert) -> str:
    """One alert: how urgent, for whom, what it is about, since when, what was seen and what to do first. Pure."""
    about = f" {alert.scope}" if alert.scope else ""
    since = f" since {instant(alert.since)}" if alert.since else ""
    return f"{alert.severity:<6}  {alert.audience:<15}  {alert.alert}{about}{since}: {alert.summary}"
