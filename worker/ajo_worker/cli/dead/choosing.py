"""The arguments and options that say which dead letters are meant: the same for every command of ``dead``."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import typer

from ajo_worker.cli import completion
from ajo_worker.cli.authority import read_text
from ajo_worker.cli.printing import cell
from ajo_worker.cli.since import parse_duration
from ajo_worker.deadletters.choosing import Filter

MOST_SHOWN = 60
"""Characters of a wrong id that its message shows."""


class DeadState(StrEnum):
    """The states of dead letters."""

    REJECTED = "rejected"
    EXPIRED = "expired"
    UNCONFIRMED = "unconfirmed"


RequestIds = Annotated[list[str] | None, typer.Argument(metavar="REQUEST_ID", help="These alone.")]
Campaigns = Annotated[
    list[str] | None,
    typer.Option(
        "--campaign", metavar="NAME", help="Of this campaign; repeat it.", autocompletion=completion.campaign_names
    ),
]
States = Annotated[list[DeadState] | None, typer.Option("--state", help="In this state; repeat it.")]
Reasons = Annotated[
    list[str] | None,
    typer.Option(
        "--reason",
        metavar="REASON",
        help="That ended for this reason; repeat it.",
        autocompletion=completion.reasons,
    ),
]
Statuses = Annotated[
    list[int] | None,
    typer.Option("--status", metavar="CODE", min=100, max=599, help="HTTP status of the last attempt; repeat it."),
]
Since = Annotated[str | None, typer.Option(metavar="DURATION", help="That ended in the last 30s, 2d, 1h30m.")]
Until = Annotated[str | None, typer.Option(metavar="DURATION", help="That ended longer ago than 30s, 2d, 1h30m.")]


def read_filter(
    request_ids: list[str] | None,
    campaigns: list[str] | None,
    states: list[DeadState] | None,
    reasons: list[str] | None,
    statuses: list[int] | None,
    since: str | None,
    until: str | None,
) -> Filter:
    """What the arguments and options say. Pure.

    Raises:
        typer.BadParameter: no request id, no text, no duration, or a while that ends before it begins.
    """
    first, last = _duration(since, "--since"), _duration(until, "--until")
    if first is not None and last is not None and last >= first:
        raise typer.BadParameter("must be less than --since: both say how long ago", param_hint="--until")
    return Filter(
        request_ids=tuple(dict.fromkeys(map(read_request_id, request_ids or ()))),
        campaigns=tuple(read_text(name, "--campaign") for name in campaigns or ()),
        states=tuple(state.value for state in states or ()),
        reasons=tuple(read_text(reason, "--reason") for reason in reasons or ()),
        statuses=tuple(statuses or ()),
        since=first,
        until=last,
    )


def read_request_id(text: str) -> UUID:
    """A request id.

    Raises:
        typer.BadParameter: it is none.
    """
    try:
        return UUID(text)
    except ValueError:
        shown = text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"
        raise typer.BadParameter(f"{cell(shown)} is no request id: that is a UUID", param_hint="REQUEST_ID") from None


def _duration(text: str | None, option: str) -> timedelta | None:
    try:
        return None if text is None else parse_duration(text)
    except ValueError as bad:
        raise typer.BadParameter(str(bad), param_hint=option) from None
