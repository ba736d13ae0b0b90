"""What ``--day`` says, in the time zone of the settings."""

from datetime import UTC, date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from ajo_worker import days

DayOption = Annotated[
    str | None,
    typer.Option("--day", metavar="DAY", help="Of a day: yesterday, today, 2026-11-25; its zone is AJO_TIME_ZONE."),
]


def read_day(text: str, zone: ZoneInfo) -> date:
    """The day that is meant.

    Raises:
        typer.BadParameter: it is none.
    """
    try:
        return days.read_day(text, datetime.now(UTC), zone)
    except ValueError as bad:
        raise typer.BadParameter(str(bad), param_hint="--day") from None
