"""See what is kept back and why, keep it back, let it go on.

``ajo-dispatch outage list|show|probe|hold|resume``
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

import typer
from msgspec import structs

from ajo_worker.cli import completion
from ajo_worker.cli.asked_broker import complete, unasked
from ajo_worker.cli.outage import changes
from ajo_worker.cli.outage.asked import campaigns_known, scopes_of
from ajo_worker.cli.outage.report import Listed, Shown, show_list, show_one
from ajo_worker.cli.printing import make_console, print_json
from ajo_worker.cli.running import finish, read_settings
from ajo_worker.cli.since import read_since
from ajo_worker.ledger.database import LARGEST_NUMBER, snapshot
from ajo_worker.outages import circuits, history
from ajo_worker.outages.history import Detail
from ajo_worker.outages.known_scopes import campaigns_in
from ajo_worker.outages.runbook import runbook
from ajo_worker.outages.scope import is_token, lane_of
from ajo_worker.queues.lengths import queue_lengths
from ajo_worker.settings import Settings
from ajo_worker.triggers.campaign import KnownCampaign
from ajo_worker.views.backlog import backlog as read_backlog

app = typer.Typer(add_completion=False, no_args_is_help=True)

MOST_DIGITS = len(str(LARGEST_NUMBER)) - 1
"""Of an outage's number: so many are never too large."""
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_(
    *,
    since: Annotated[str, typer.Option(metavar="DURATION", help="Also those that began in the last 12h, 7d.")] = "7d",
    as_json: AsJson = False,
) -> None:
    """List what is slowed or kept back now and how much waits, the outages that last, and those of a while."""
    duration, settings = read_since(since), read_settings()
    found = finish(_list(settings, duration))
    found = structs.replace(found, backlog=complete(found.backlog, settings))
    if as_json:
        print_json(found)
    else:
        show_list(found, since, make_console())


@app.command()
def show(
    scope: Annotated[str, typer.Argument(metavar="SCOPE|NUMBER", autocompletion=completion.scopes)],
    *,
    as_json: AsJson = False,
) -> None:
    """Show one outage: since when and why, what waits, the last answers, and what to do.

    With a scope, its latest one.
    """
    settings = read_settings()
    campaigns = campaigns_known(settings)
    found = finish(_detail(settings, scope, campaigns))
    if found is None:
        raise typer.TyperException(f"no outage of {scope} is on record")
    queued, unknown = _queued(settings, found.outage.scope)
    shown = Shown(found, queued, unknown, runbook(found))
    if as_json:
        print_json(shown)
    else:
        show_one(shown, make_console())


app.command()(changes.probe)
app.command()(changes.hold)
app.command()(changes.resume)


def _queued(settings: Settings, scope: str) -> tuple[int | None, str | None]:
    try:
        lengths = queue_lengths(settings)
    except OSError as fault:
        return None, unasked(fault)
    lane = lane_of(scope)
    return sum(lengths.values()) if is_token(scope) else lengths.get(lane) if lane else None, None


async def _list(settings: Settings, since: timedelta) -> Listed:
    async with snapshot(settings.database_url.get_secret_value()) as connection:
        return Listed(await history.outages(connection, since), await read_backlog(connection))


async def _detail(settings: Settings, word: str, campaigns: Mapping[str, KnownCampaign]) -> Detail | None:
    async with snapshot(settings.database_url.get_secret_value()) as connection:
        if word.isdecimal():
            outage = await history.numbered(connection, int(word)) if len(word) <= MOST_DIGITS else None
        else:
            scopes = scopes_of(word, campaigns, await circuits.kept_back(connection), settings)
            latest = [one for scope in scopes if (one := await history.latest(connection, scope))]
            outage = max(latest, key=lambda one: one.opened_at, default=None)
        if outage is None:
            return None
        found = await history.detail(connection, outage, campaigns_in(outage.scope, campaigns))
        if is_token(outage.scope) and outage.ended_at is None:
            return structs.replace(found, without_token=await history.without_token(connection))
        return found
