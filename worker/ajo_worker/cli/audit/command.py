"""What an auditor asks: seal closed days, verify them, and look one recipient up.

``ajo-dispatch audit close|verify|head|recipient``
"""

from typing import Annotated

import typer
from ajo_producers.contract.counted import counted

from ajo_worker.cli.audit.recipient import recipient
from ajo_worker.cli.audit.report import only_key_missing, show_closed, show_verified, summary
from ajo_worker.cli.day import DayOption, read_day
from ajo_worker.cli.printing import make_console, print_json
from ajo_worker.cli.progress import progress_bar
from ajo_worker.cli.running import WrongSettings, finish, read_settings
from ajo_worker.days import utc_days
from ajo_worker.evidence import closing, seals
from ajo_worker.evidence.chain import Link, WrongKey, goes_on
from ajo_worker.evidence.closing import Closed
from ajo_worker.evidence.findings import Verified
from ajo_worker.evidence.verification import Asked, verify
from ajo_worker.ledger.database import connected
from ajo_worker.words import instant

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Seal closed days, verify that nobody changed them, and look a recipient up.",
)
HEAD_BYTES = 32
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def close(*, as_json: AsJson = False) -> None:
    """Seal the days that are over for AJO_CLOSE_DAYS, and seal again what has changed since for a reason on record.

    It may be interrupted and repeated. The exit code is 1 if something changed without a reason: that is not sealed
    again.
    """
    settings = read_settings()
    key = settings.evidence_key.get_secret_value().encode()
    try:
        done = finish(_close(settings.database_url.get_secret_value(), settings.close_days, key))
    except WrongKey as wrong:
        raise WrongSettings(str(wrong)) from None
    if as_json:
        print_json(done)
    else:
        show_closed(done, make_console())
    if done.refused:
        raise typer.TyperException(
            f"{counted(len(done.refused), 'chunk')} changed without a reason on record, and not sealed again: "
            "ajo-dispatch audit verify"
        )


@app.command("verify")
def verify_(
    *,
    day: DayOption = None,
    head: Annotated[
        str | None, typer.Option(metavar="HEX", help="A value of 'audit head' from before: it must be in the chain.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compute all seals anew, and compare them with those that were made when the days were closed.

    The exit code is 1 if anything is not what it was, and 2 if only AJO_EVIDENCE_KEY is missing.
    """
    settings = read_settings()
    zone, wanted = settings.zone, None if day is None else read_day(day, settings.zone)
    sealed = None if wanted is None else utc_days(wanted, zone)
    asked = Asked(settings.evidence_key.get_secret_value().encode(), sealed, _read_head(head))
    if sealed is not None and zone.key != "UTC":
        of = " and ".join(map(str, sealed))
        typer.echo(f"{wanted} ({zone}) is of the days {of} (UTC), which is how days are sealed", err=True)
    found = finish(_verify(settings.database_url.get_secret_value(), asked))
    if as_json:
        print_json(found)
    else:
        show_verified(found, make_console())
    if not found.intact:
        raise (WrongSettings if only_key_missing(found) else typer.TyperException)(summary(found))
    if missing := set(sealed or ()) - {one.day for one in found.days}:
        raise typer.TyperException("; ".join(f"{one} (UTC) is not sealed" for one in sorted(missing)))


@app.command("head")
def head_(*, as_json: AsJson = False) -> None:
    """Print the newest value of the chain: keep it where nobody who can write the ledger can write."""
    link = finish(_head(read_settings().database_url.get_secret_value()))
    if link is None:
        raise typer.TyperException("nothing is sealed yet: ajo-dispatch audit close")
    if as_json:
        print_json({"head": link.chain.hex(), "sealed_at": link.seal.sealed_at, "day": link.seal.day})
    else:
        typer.echo(link.chain.hex())
        typer.echo(f"sealed {instant(link.seal.sealed_at)}, {link.seal.relation} of {link.seal.day}", err=True)


app.command()(recipient)


def _read_head(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        value = bytes.fromhex(text.strip())
    except ValueError:
        value = b""
    if len(value) != HEAD_BYTES:
        raise typer.BadParameter("must be the 64 hexadecimal digits of 'audit head'", param_hint="--head")
    return value


async def _close(url: str, close_days: int, key: bytes) -> Closed:
    async with connected(url) as connection, seals.only_closer(connection):
        newest = await seals.head(connection)
        goes_on(newest.seal.key_id if newest else None, key)
        what = await closing.due(connection, close_days)
        with progress_bar(len(what.groups), "hours and days") as show:
            return await closing.close(connection, what, key, show)


async def _verify(url: str, asked: Asked) -> Verified:
    async with connected(url) as connection:
        links = await seals.all_links(connection)
        with progress_bar(sum(asked.days is None or link.seal.day in asked.days for link in links), "seals") as show:
            return await verify(connection, links, asked, show)


async def _head(url: str) -> Link | None:
    async with connected(url) as connection:
        return await seals.head(connection)
