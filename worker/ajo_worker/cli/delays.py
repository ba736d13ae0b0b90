"""Show in which phase the time of triggers went: percentiles by phase, and by campaign.

``ajo-dispatch delays [--since 1h] [--campaign NAME]``
"""

from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ajo_worker.cli.phases import AFTER_THE_END, SYSTEMS, label
from ajo_worker.cli.printing import cell, counted, instant, make_console, make_table, print_json, seconds, share
from ajo_worker.cli.running import finish, read_settings
from ajo_worker.cli.since import read_since
from ajo_worker.ledger.database import snapshot
from ajo_worker.ledger.delays import PHASES, DelayReport, Delays, Spread
from ajo_worker.ledger.delays import delays as read_delays

app = typer.Typer(add_completion=False)


@app.command()
def delays(
    *,
    since: Annotated[str, typer.Option(metavar="DURATION", help="Of triggers received in the last 30s, 2d, 1h30m.")] = (
        "1h"
    ),
    campaign: Annotated[str | None, typer.Option(metavar="NAME", help="Of this campaign alone.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show in which phase the time of triggers went, from the business event to their end.

    Phases follow one another and sum to the total; one that took no time is left out. Departure and delivery come after
    the end. Only triggers that came to their end count.
    """
    url, duration = read_settings().database_url.get_secret_value(), read_since(since)
    report = finish(_read(url, duration, campaign))
    if as_json:
        print_json(report)
    else:
        show_delays(report, since, campaign, make_console())


async def _read(url: str, since: timedelta, campaign: str | None) -> DelayReport:
    async with snapshot(url) as connection:
        return await read_delays(connection, since, campaign)


def show_delays(report: DelayReport, since: str, campaign: str | None, console: Console) -> None:
    """Print the report; ``since`` as it was asked for."""
    found = report.all
    of = f" of campaign {cell(campaign)}" if campaign is not None else ""
    when = f"received in the last {since} (since {instant(report.since)})"
    if not found.triggers:
        console.print(f"No trigger{of} {when} came to its end.", markup=False)
    else:
        console.print(f"{counted(found.triggers, 'trigger')}{of} {when} came to the end; seconds:\n", markup=False)
        console.print(_phase_table(found))
    for line in _remarks(found):
        console.print(f"\n{line}", markup=False)
    if found.triggers and len(report.campaigns) > 1:
        console.print("\nBy campaign, from the event to the end; --campaign NAME shows its phases:\n", markup=False)
        console.print(_campaign_table(report.campaigns))


def _phase_table(found: Delays) -> Table:
    table = make_table("Phase", "p50", "p95", "p99", "Max", "Share", numbers=5)
    table.add_column("Whose time", no_wrap=True)
    for phase, system in PHASES.items():
        if found.phases[phase].max or phase == "residual":
            numbers = _numbers(found.phases[phase])
            if phase in AFTER_THE_END:
                numbers[-1] = ""
            table.add_row(cell(label(phase)), *numbers, SYSTEMS[system])
        if phase == "residual":
            table.add_row("total", *_numbers(found.total), "", style="bold")
    return table


def _numbers(spread: Spread) -> list[str]:
    return [*map(seconds, (spread.p50, spread.p95, spread.p99, spread.max)), share(spread.share)]


def _remarks(found: Delays) -> list[str]:
    lines = []
    if found.systems:
        charged = (f"{SYSTEMS[system]} {triggers:,}" for system, triggers in found.systems.items())
        lines.append(f"Triggers by what their delay is charged to: {', '.join(charged)}.")
    if found.unfinished:
        lines.append(f"{counted(found.unfinished, 'trigger')} not yet at the end, and not counted above.")
    if found.skewed:
        lines.append(
            f"Clock skew in {counted(found.skewed, 'trigger')}: what one machine's clock says contradicts another's."
        )
    return lines


def _campaign_table(campaigns: dict[str, Delays]) -> Table:
    table = make_table("Campaign", "Triggers", "p50", "p95", "p99", "Max", numbers=5)
    table.add_column("Most of it")
    for name, found in sorted(campaigns.items(), key=lambda item: -item[1].triggers):
        table.add_row(cell(name), f"{found.triggers:,}", *_numbers(found.total)[:-1], _largest(found))
    return table


def _largest(found: Delays) -> str:
    """The phase with the largest part of the total."""
    shares = {phase: found.phases[phase].share or 0.0 for phase in PHASES if phase not in AFTER_THE_END}
    phase = max(shares, key=lambda name: shares[name])
    return f"{label(phase)} {share(shares[phase])}" if shares[phase] > 0 else ""
