"""``ajo-dispatch audit recipient``: the triggers for one address, which is neither printed nor kept."""

import sys
from datetime import timedelta
from typing import Annotated

import typer
from ajo_producers.contract.counted import counted
from ajo_producers.contract.trigger import MAX_TEXT
from rich.console import Console

from ajo_worker.cli.campaign import CampaignOption
from ajo_worker.cli.printing import cell, make_console, make_table, print_json, print_whole
from ajo_worker.cli.progress import progress_bar
from ajo_worker.cli.running import WrongSettings, finish, read_settings
from ajo_worker.cli.since import read_since
from ajo_worker.ledger.database import READER, connected
from ajo_worker.recipients import hashing_key, recipient_hash
from ajo_worker.views.recipient import RecipientFound, find_recipient
from ajo_worker.words import instant, perhaps


def recipient(
    address: Annotated[
        str | None,
        typer.Argument(metavar="[ADDRESS|-]", help="A user id or address; - or none: asked for, or read from a pipe."),
    ] = None,
    *,
    since: Annotated[str, typer.Option(metavar="DURATION", help="Of triggers received in the last 12h, 30d.")] = "30d",
    campaign: CampaignOption = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Triggers that are listed at most.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the triggers for one recipient, by the keyed hash of the user id that they were published with.

    The address is neither printed nor kept; given as an argument, it stays in your shell's history. The exit code is 1
    if there are none.
    """
    settings, duration = read_settings(), read_since(since)
    key = hashing_key(settings.hash_key.get_secret_value())
    if not key:
        raise WrongSettings("AJO_HASH_KEY is not set: without the workers' key there is no way to find a recipient")
    digest = recipient_hash(_read_address(address), key)
    url = settings.database_url.get_secret_value()
    report = finish(_find(url, digest, duration, campaign, limit))
    if as_json:
        print_json(report)
    elif report.triggers:
        _show(report, make_console())
    if not report.triggers:
        raise typer.TyperException(f"no trigger for this recipient since {instant(report.since)}")


def _read_address(given: str | None) -> str:
    if given in {None, "-"}:
        given = (
            typer.prompt("User id or address", hide_input=True, err=True)
            if sys.stdin.isatty()
            else sys.stdin.readline(MAX_TEXT + 2)  # no user id is longer, and its line has an end
        )
    address = (given or "").strip()
    if not address:
        raise typer.BadParameter("a user id or address is needed", param_hint="ADDRESS")
    return address


async def _find(url: str, digest: bytes, since: timedelta, campaign: str | None, most: int) -> RecipientFound:
    async with connected(url, READER) as connection:
        with progress_bar(since.days + 2, "days") as show:
            return await find_recipient(connection, digest, since=since, campaign=campaign, most=most, progress=show)


def _show(report: RecipientFound, console: Console) -> None:
    what = f"{'More than ' if report.more else ''}{counted(len(report.triggers), 'trigger')}"
    console.print(
        f"{what} for the recipient with hash {report.recipient_hash} since {instant(report.since)}\n", markup=False
    )
    table = make_table("Request id", "Received", "Campaign", "State", "Reason", "Twice?", "Execution id")
    for trigger in report.triggers:
        row = (trigger.request_id, instant(trigger.received_at), trigger.campaign, trigger.state, trigger.reason)
        table.add_row(*map(cell, (*row, perhaps(trigger.possible_duplicate), trigger.execution_id)))
    print_whole(console, table)
