"""Show in which phase the time of triggers went: percentiles by phase, and by campaign.

``ajo-dispatch delays [--since 1h | --day yesterday] [--campaign NAME]``
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

import typer
from ajo_producers.contract.counted import counted
from rich.console import Console
from rich.table import Table

from ajo_worker.cli.campaign import CampaignOption
from ajo_worker.cli.day import DayOption, read_day
from ajo_worker.cli.printing import cell, make_console, make_table, print_json
from ajo_worker.cli.running import finish, read_settings
from ajo_worker.cli.since import read_since
from ajo_worker.days import bounds
from ajo_worker.ledger.database import snapshot
from ajo_worker.settings import Settings
from ajo_worker.views.delays import DelayReport, Delays, PhaseSpread
from ajo_worker.views.delays import delays as read_delays
from ajo_worker.views.phases import Phase
from ajo_worker.words import instant, percent, seconds, system_name

app = typer.Typer(add_completion=False)

SINCE = "1h"


@app.command()
def delays(
    *,
    since: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="Of triggers received in the last 30s, 2d, 1h30m.", show_default=SINCE),
    ] = None,
    day: DayOption = None,
    campaign: CampaignOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show in which phase the time of triggers went, from the business event to their end.

    Phases follow one another and sum to the total; one that took no time is left out. Departure and delivery come after
    the end. Only triggers that came to their end count.
    """
    settings, last = read_settings(), SINCE if since is None else since
    if day is None:
        report = finish(_read(settings, read_since(last), campaign))
        when = f"received in the last {last} (since {instant(report.since)})"
    elif since is not None:
        raise typer.BadParameter("only without --since", param_hint="--day")
    else:
        wanted = read_day(day, settings.zone)
        report = finish(_read(settings, bounds(wanted, settings.zone), campaign))
        when = f"received on {wanted} ({settings.time_zone})"
    if as_json:
        print_json(report)
    else:
        show_delays(report, when, campaign, make_console())


async def _read(settings: Settings, asked: timedelta | tuple[datetime, datetime], campaign: str | None) -> DelayReport:
    async with snapshot(settings.database_url.get_secret_value()) as connection:
        return await read_delays(connection, asked, campaign)


def show_delays(report: DelayReport, when: str, campaign: str | None, console: Console) -> None:
    """Print the report; ``when`` says of which triggers."""
    found = report.all
    of = f" of campaign {cell(campaign)}" if campaign is not None else ""
    if not found.triggers:
        console.print(f"No trigger{of} {when} came to its end.", markup=False)
    else:
        console.print(f"{counted(found.triggers, 'trigger')}{of} {when} came to the end; seconds:\n", markup=False)
        console.print(_phase_table(report.phases, found))
    for line in _remarks(found):
        console.print(f"\n{line}", markup=False)
    if found.triggers and len(report.campaigns) > 1:
        console.print("\nBy campaign, from the event to the end; --campaign NAME shows its phases:\n", markup=False)
        console.print(_campaign_table(report))


def _phase_table(phases: Sequence[Phase], found: Delays) -> Table:
    table = make_table("Phase", "p50", "p95", "p99", "Max", "Share", numbers=5)
    table.add_column("Whose time", no_wrap=True)
    for after_end in (False, True):
        for phase in phases:
            spread = found.phases[phase.phase]
            if phase.after_end is after_end and (spread.longest or phase.system is None):
                numbers = [*_numbers(spread)[:-1], "" if after_end else percent(spread.share)]
                table.add_row(cell(phase.phase), *numbers, system_name(phase.system))
        if not after_end:
            table.add_row("total", *_numbers(found.total), "", style="bold")
    return table


def _numbers(spread: PhaseSpread) -> list[str]:
    return [*map(seconds, (spread.p50, spread.p95, spread.p99, spread.longest)), percent(spread.share)]


def _remarks(found: Delays) -> list[str]:
    lines = []
    if found.systems:
        charged = (f"{system_name(system)} {triggers:,}" for system, triggers in found.systems.items())
        lines.append(f"Triggers by what their delay is charged to: {', '.join(charged)}.")
    if found.unfinished:
        unfinished = counted(found.unfinished, "trigger")
        lines.append(f"{unfinished} not yet at the end: among those charged, and in no phase above.")
    if found.skewed:
        lines.append(
            f"Clock skew in {counted(found.skewed, 'trigger')}: what one machine's clock says contradicts another's."
        )
    return lines


def _campaign_table(report: DelayReport) -> Table:
    table = make_table("Campaign", "Triggers", "p50", "p95", "p99", "Max", numbers=5)
    table.add_column("Most of it")
    for campaign, found in sorted(report.campaigns.items(), key=lambda item: -item[1].triggers):
        table.add_row(
            cell(campaign), f"{found.triggers:,}", *_numbers(found.total)[:-1], _largest(report.phases, found)
        )
    return table


def _largest(phases: Sequence[Phase], found: Delays) -> str:
    """The phase with the largest part of the total."""
    shares = {each.phase: found.phases[each.phase].share or 0.0 for each in phases if not each.after_end}
    phase = max(shares, key=lambda each: shares[each])
    return f"{phase} {percent(shares[phase])}" if shares[phase] > 0 else ""
