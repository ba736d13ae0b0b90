"""Show what became of the triggers of a while, of one message, or the whole way of one trigger.

``ajo-dispatch status [--since 24h]``, ``ajo-dispatch status BATCH_ID`` and ``ajo-dispatch status REQUEST_ID``
"""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

import typer
from msgspec import structs

from ajo_worker.cli.asked_broker import complete
from ajo_worker.cli.printing import make_console, print_json
from ajo_worker.cli.running import finish, read_settings
from ajo_worker.cli.since import read_since
from ajo_worker.cli.status.batch import show_batch
from ajo_worker.cli.status.overview import show_overview
from ajo_worker.cli.status.timeline import show_timeline
from ajo_worker.ledger.database import snapshot
from ajo_worker.settings import Settings
from ajo_worker.views.batch import RecordedBatch, batch
from ajo_worker.views.overview import Overview, overview
from ajo_worker.views.timeline import Timeline, timeline

app = typer.Typer(add_completion=False)

SINCE = "24h"


@app.command()
def status(
    wanted: Annotated[
        str | None,
        typer.Argument(metavar="[REQUEST_ID|BATCH_ID]", help="The trigger or the batch; Flower's task id is either."),
    ] = None,
    *,
    since: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="Of triggers received in the last 30s, 2d, 1h30m.", show_default=SINCE),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what became of the triggers of a while and what is under way; or of one trigger, or of one batch.

    Times are UTC. All that is shown is of one moment.
    """
    if wanted is not None:
        if since is not None:
            raise typer.BadParameter("only without an id", param_hint="--since")
        identity, settings = _read_id(wanted), read_settings()
        found = finish(_named(settings, identity))
        if found is None:
            raise typer.TyperException(
                f"the ledger has no trigger and no batch {identity}: it is still in the broker, or was never "
                "published; or all its triggers had come before, with another message"
            )
        if as_json:
            print_json(found)
        elif isinstance(found, RecordedBatch):
            show_batch(found, make_console())
        else:
            show_timeline(found, make_console())
        return
    since = SINCE if since is None else since
    duration, settings = read_since(since), read_settings()
    report = finish(_overview(settings, duration))
    report = structs.replace(report, backlog=complete(report.backlog, settings))
    if as_json:
        print_json(report)
    else:
        show_overview(report, since, make_console())


def _read_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise typer.BadParameter(
            "must be a UUID: a trigger's request id, or the id of a batch, as Flower shows it", param_hint="ID"
        ) from None


async def _overview(settings: Settings, since: timedelta) -> Overview:
    async with snapshot(settings.database_url.get_secret_value()) as connection:
        return await overview(connection, since)


async def _named(settings: Settings, identity: UUID) -> Timeline | RecordedBatch | None:
    """A message with one trigger has that trigger's id in Flower."""
    async with snapshot(settings.database_url.get_secret_value()) as connection:
        return await timeline(connection, identity) or await batch(connection, identity)
