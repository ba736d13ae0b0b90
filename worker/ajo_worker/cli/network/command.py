"""Show how long the way to the endpoints takes, and what the API takes beside it.

``ajo-dispatch network [--since 1h] [--now] [--json]``
"""

import asyncio
from datetime import timedelta
from typing import Annotated

import typer
from ajo_producers.campaigns.folder import load_definitions

from ajo_worker.api.tls import tls_context
from ajo_worker.cli.network.report import NowReport, Told, now_report, show_now, show_ways, told
from ajo_worker.cli.printing import make_console, print_json
from ajo_worker.cli.running import WrongSettings, finish, read_settings, ways_of
from ajo_worker.cli.since import read_since
from ajo_worker.ledger.database import snapshot
from ajo_worker.network import probes
from ajo_worker.network.probing import STEP_SECONDS, probed
from ajo_worker.network.way import explore
from ajo_worker.settings import Settings
from ajo_worker.triggers.campaign import campaigns_of

app = typer.Typer(add_completion=False)


@app.command()
def network(
    *,
    since: Annotated[str, typer.Option(metavar="DURATION", help="Of workers' probes of the last 30m, 12h.")] = "1h",
    now: Annotated[bool, typer.Option("--now", help="Probe from here, once, in place of the workers' probes.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show how long each step of a fresh connection to each endpoint took, and what the API took beside it.

    With --now nothing is recorded, no credentials are sent, and the exit code is 1 if a way is not open.
    """
    settings, console = read_settings(), make_console()
    if now:
        reports = asyncio.run(_explore(settings))
        if as_json:
            print_json(reports)
        else:
            show_now(reports, console)
        raise typer.Exit(int(any(report.failure for report in reports)))
    found = finish(_read(settings, read_since(since)))
    if as_json:
        print_json(found)
    else:
        show_ways(found, since, console)


async def _read(settings: Settings, since: timedelta) -> list[Told]:
    async with snapshot(settings.database_url.get_secret_value()) as connection:
        return [told(way) for way in await probes.ways(connection, since)]


async def _explore(settings: Settings) -> list[NowReport]:
    try:
        tls = tls_context(settings)
    except OSError as fault:
        raise WrongSettings(str(fault)) from None
    try:
        campaigns = campaigns_of(load_definitions(settings.campaigns), settings)
    except ValueError as bad:
        raise WrongSettings(str(bad)) from None
    endpoints = {name: campaign.endpoint for name, campaign in campaigns.items()}
    ways = probed(endpoints, settings.base_url, settings.token_url, ways_of(settings))
    found = await asyncio.gather(*(explore(way, tls, STEP_SECONDS) for way in ways))
    return [now_report(destination.endpoint, way) for destination, way in zip(ways, found, strict=True)]
