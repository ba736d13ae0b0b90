"""List, show, export, redrive and discard dead letters: triggers that ended unaccepted.

``ajo-dispatch dead list|export|redrive|discard [REQUEST_ID …] [--campaign NAME] …`` and ``ajo-dispatch dead show ID``
"""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from ajo_producers.contract.sealing import Sealer

from ajo_worker.cli.dead import changes
from ajo_worker.cli.dead.choosing import read_request_id, takes_filter
from ajo_worker.cli.dead.export import export_letters
from ajo_worker.cli.dead.report import show_letter, show_list
from ajo_worker.cli.printing import make_console, print_json
from ajo_worker.cli.running import finish, read_settings
from ajo_worker.deadletters.choosing import DeadLetters, Filter, dead_letters
from ajo_worker.deadletters.detail import Found, detail_of, find_letter
from ajo_worker.ledger.database import snapshot

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="List, show, export, redrive and discard dead letters."
)


@app.command("list")
@takes_filter
def list_(
    *,
    chosen: Filter,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Dead letters that are listed at most.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Count dead letters by campaign, state and reason, and list the newest.

    The exit code is 1 if there are none.
    """
    report = finish(_list(read_settings().database_url.get_secret_value(), chosen, limit))
    if as_json:
        print_json(report)
    elif report.letters:
        show_list(report, make_console())
    if not report.letters:
        raise typer.TyperException(nothing(chosen))


@app.command()
def show(
    request_id: Annotated[str, typer.Argument(metavar="REQUEST_ID", help="The trigger.")],
    *,
    payload: Annotated[bool, typer.Option("--payload", help="With the values: they are personal data.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show one trigger, what operators did about it, and what its payload looks like.

    Whatever state it is in; the payload only as long as it is held.
    """
    wanted, settings = read_request_id(request_id), read_settings()
    found = finish(_one(settings.database_url.get_secret_value(), wanted))
    if found is None:
        raise typer.TyperException(f"the ledger has no trigger {wanted}")
    detail = detail_of(found, Sealer.from_keys(settings.payload_keys.get_secret_value()), with_payload=payload)
    if as_json:
        print_json(detail)
    else:
        show_letter(detail, make_console())
    if payload and detail.payload is None:
        raise typer.TyperException(f"its payload can't be shown: {detail.unreadable or 'none is held'}")


@app.command()
@takes_filter
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE|-", help="A file that isn't there yet; - for standard output.")],
    *,
    chosen: Filter,
) -> None:
    """Write dead letters with their payloads as JSON lines.

    They are personal data: the file can be read by its owner alone. What can't be decrypted is left out and told,
    with exit code 1.
    """
    export_letters(read_settings(), chosen, file)


app.command()(changes.redrive)
app.command()(changes.discard)


def nothing(chosen: Filter) -> str:
    """That no dead letter was found. Pure."""
    return "there are no dead letters" if chosen == Filter() else "no dead letter fits"


async def _list(url: str, chosen: Filter, most: int) -> DeadLetters:
    async with snapshot(url) as connection:
        return await dead_letters(connection, chosen, most)


async def _one(url: str, request_id: UUID) -> Found | None:
    async with snapshot(url) as connection:
        return await find_letter(connection, request_id)
