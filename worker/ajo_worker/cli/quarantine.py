"""List what could not be read and was kept: bad messages, and bad triggers of good messages.

``ajo-dispatch quarantine [--since 7d]`` and ``ajo-dispatch quarantine ID [--body]``
"""

import sys
from datetime import timedelta
from typing import Annotated

import typer
from ajo_producers.contract.counted import counted

from ajo_worker.cli.printing import cell, make_console, make_table, print_json
from ajo_worker.cli.running import finish, read_settings
from ajo_worker.cli.since import read_since
from ajo_worker.ledger.database import LARGEST_NUMBER, snapshot
from ajo_worker.views.quarantine import Item, Quarantine, quarantine, quarantined_item
from ajo_worker.words import instant

app = typer.Typer(add_completion=False)


@app.command("quarantine")
def list_(
    quarantine_id: Annotated[
        int | None, typer.Argument(metavar="ID", min=1, max=LARGEST_NUMBER, help="The item to show whole.")
    ] = None,
    *,
    since: Annotated[str, typer.Option(metavar="DURATION", help="Of items received in the last 30s, 7d.")] = "7d",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Items that are listed at most.")] = 50,
    body: Annotated[bool, typer.Option("--body", help="With ID: write what was kept of its body.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List messages and triggers that could not be read, with the reason; or show one.

    Nothing here was sent. What was meant must be published again, corrected. A body may hold personal data: it is
    written only with --body.
    """
    url = read_settings().database_url.get_secret_value()
    if quarantine_id is None:
        if body:
            raise typer.BadParameter("only with an ID", param_hint="--body")
        report = finish(_list(url, read_since(since), limit))
        if as_json:
            print_json(report)
        else:
            _show_list(report, since)
        return
    found = finish(_one(url, quarantine_id))
    if found is None:
        raise typer.TyperException(f"the quarantine has no item {quarantine_id}")
    if body:
        sys.stdout.buffer.write(found[1])
    elif as_json:
        print_json(found[0])
    else:
        _show_one(found[0])


async def _list(url: str, since: timedelta, most: int) -> Quarantine:
    async with snapshot(url) as connection:
        return await quarantine(connection, since, most)


async def _one(url: str, quarantine_id: int) -> tuple[Item, bytes] | None:
    async with snapshot(url) as connection:
        return await quarantined_item(connection, quarantine_id)


def _show_list(report: Quarantine, since: str) -> None:
    console = make_console()
    when = f"in the last {since} (since {instant(report.since)})"
    if not report.items:
        console.print(f"Nothing was quarantined {when}.", markup=False)
        return
    console.print(f"{counted(report.items, 'item')} quarantined {when}", markup=False)
    reasons = make_table("Reason", "Items", numbers=1)
    for reason, items in report.reasons.items():
        reasons.add_row(cell(reason), f"{items:,}")
    newest = make_table("Id", "Received", "Queue", "Reason", "Bytes", numbers=1)
    for item in report.newest:
        row = (item.quarantine_id, instant(item.received_at), item.queue, item.reason)
        newest.add_row(*map(cell, row), f"{item.body_bytes:,}")
    for table in (reasons, newest):
        console.print()
        console.print(table)


def _show_one(item: Item) -> None:
    console, table = make_console(), make_table("", "")
    table.show_header = False
    facts = {
        "id": item.quarantine_id,
        "received": instant(item.received_at),
        "queue": item.queue,
        "reason": item.reason,
        "bytes": f"{item.body_bytes:,}, of which {item.kept_bytes:,} are kept",
        "worker": item.worker,
        **{f"header {name}": value for name, value in item.headers.items()},
    }
    for name, value in facts.items():
        table.add_row(cell(name), cell(value))
    console.print(table)
