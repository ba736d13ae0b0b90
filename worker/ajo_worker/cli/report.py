"""Report on a while, as one page: were messages late, since when, whose fault.

``ajo-dispatch report [--since 24h | --day yesterday] --html FILE | --csv FOLDER | --json``
"""

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from ajo_producers.contract.writing import writing

from ajo_worker.cli.campaign import CampaignOption
from ajo_worker.cli.day import DayOption, read_day
from ajo_worker.cli.printing import print_json
from ajo_worker.cli.running import finish, read_settings
from ajo_worker.cli.since import read_since
from ajo_worker.days import FIRST, LAST, bounds
from ajo_worker.ledger.database import snapshot
from ajo_worker.reports.csv import write_tables
from ajo_worker.reports.lateness import headline
from ajo_worker.reports.reading import ReportRequest, read_report
from ajo_worker.reports.value import Report

app = typer.Typer(add_completion=False)

SINCE = "24h"


@app.command()
def report(
    *,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help="Of triggers received in the last 30m, 24h, 7d, before --until.",
            show_default=SINCE,
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Up to this time: 2026-11-25T14:00, of AJO_TIME_ZONE."),
    ] = None,
    day: DayOption = None,
    campaign: CampaignOption = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write one page that opens anywhere.")] = None,
    csv: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Write tables, a file each.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Report on a while: were messages late, since when, whose fault; the answer is printed, the rest is written.

    It reads what workers roll up minute by minute, so the newest minute may not be in it yet.
    """
    for option, place in (("--html", html), ("--csv", csv)):
        if place == Path("-"):
            raise typer.BadParameter("a page and tables go into files: name one", param_hint=option)
    settings = read_settings()
    asked = _asked(since, until, day, campaign, settings.zone)
    found = finish(_read(settings.database_url.get_secret_value(), asked))
    if html is not None:
        with writing(html):
            _write_page(found, html)
    if csv is not None:
        with writing(csv):
            write_tables(found, csv)
    if as_json:
        print_json(found)
        return
    typer.echo(headline(found))
    for place in (html, csv):
        if place is not None:
            typer.echo(f"written: {place}")


def _asked(
    since: str | None, until: str | None, day: str | None, campaign: str | None, zone: ZoneInfo
) -> ReportRequest:
    if day is not None:
        if since is not None or until is not None:
            raise typer.BadParameter("only without --since and --until", param_hint="--day")
        wanted = read_day(day, zone)
        begin, end = bounds(wanted, zone)
        return ReportRequest(begin, end, campaign, zone.key, wanted)
    end = datetime.now(UTC) if until is None else _read_time(until, zone)
    begin = (end - read_since(SINCE if since is None else since)).replace(second=0, microsecond=0)
    return ReportRequest(begin, end, campaign, zone.key)


def _read_time(text: str, zone: ZoneInfo) -> datetime:
    try:
        time = datetime.fromisoformat(text)
        at = (time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        at = None
    if at is None or not FIRST <= at.date() <= LAST:
        raise typer.BadParameter("must be a time such as 2026-11-25T14:00", param_hint="--until") from None
    return at


async def _read(url: str, asked: ReportRequest) -> Report:
    async with snapshot(url) as connection:
        return await read_report(connection, asked)


def _write_page(found: Report, file: Path) -> None:
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it warns where it can keep no cache
    from ajo_worker.reports.html import render  # noqa: PLC0415 - the extra "report" is needed for the page alone

    file.write_text(render(found), encoding="utf-8")
