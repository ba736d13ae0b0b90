"""Show what became of the triggers of a while, or the whole way of one of them.

``ajo-dispatch status [--since 24h]`` and ``ajo-dispatch status REQUEST_ID``
"""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

import typer

from ajo_worker.cli.overview_report import show_overview
from ajo_worker.cli.printing import make_console, print_json
from ajo_worker.cli.running import finish, read_settings
from ajo_worker.cli.since import read_since
from ajo_worker.cli.timeline_report import show_timeline
from ajo_worker.ledger.database import snapshot
from ajo_worker.ledger.overview import Overview, overview
from ajo_worker.ledger.timeline import Timeline, timeline
from ajo_worker.settings import Settings

app = typer.Typer(add_completion=False)

SINCE = "24h"


@app.command()
def status(
    request_id: Annotated[str | None, typer.Argument(metavar="REQUEST_ID", help="The trigger to follow.")] = None,
    *,
    since: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="Of triggers received in the last 30s, 2d, 1h30m.", show_default=SINCE),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what became of the triggers of a while and what is under way; or all that is known of one trigger.

    Times are UTC. All that is shown is of one moment.
    """
    if request_id is not None:
        if since is not None:
            raise typer.BadParameter("only without a REQUEST_ID", param_hint="--since")
        wanted, settings = _read_request_id(request_id), read_settings()
        found = finish(_timeline(settings, wanted))
        if found is None:
            raise typer.TyperException(
                f"the ledger has no trigger {wanted}: it is still in the broker, or was never published"
            )
        if as_json:
            print_json(found)
        else:
            show_timeline(found, make_console())
        return
    since = SINCE if since is None else since
    duration, settings = read_since(since), read_settings()
    report = finish(_overview(settings, duration))
    if as_json:
        print_json(report)
    else:
        show_overview(report, since, make_console())


def _read_request_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise typer.BadParameter("no request id: that is a UUID", param_hint="REQUEST_ID") from None


async def _overview(settings: Settings, since: timedelta) -> Overview:
    async with snapshot(settings.database_url.get_secret_value()) as connection:
        return await overview(connection, since)


async def _timeline(settings: Settings, request_id: UUID) -> Timeline | None:
    async with snapshot(settings.database_url.get_secret_value()) as connection:
        return await timeline(connection, request_id)
