"""The arguments and options that say which dead letters are meant: the same for every command of ``dead``."""

from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Annotated, Any
from uuid import UUID

import typer

from ajo_worker.cli import completion
from ajo_worker.cli.authority import read_text
from ajo_worker.cli.campaign import read_campaign
from ajo_worker.cli.printing import cell
from ajo_worker.cli.since import parse_duration
from ajo_worker.deadletters.choosing import Filter

MOST_SHOWN = 60
"""Characters of a wrong id that its message shows."""


class StateOption(StrEnum):
    """``states.DeadState`` as Typer takes it in a list."""

    REJECTED = "rejected"
    EXPIRED = "expired"
    UNCONFIRMED = "unconfirmed"


def read_filter(
    request_ids: Annotated[list[str] | None, typer.Argument(metavar="REQUEST_ID", help="These alone.")] = None,
    *,
    campaigns: Annotated[
        list[str] | None,
        typer.Option(
            "--campaign", metavar="NAME", help="Of this campaign; repeat it.", autocompletion=completion.campaign_names
        ),
    ] = None,
    states: Annotated[list[StateOption] | None, typer.Option("--state", help="In this state; repeat it.")] = None,
    reasons: Annotated[
        list[str] | None,
        typer.Option(
            "--reason",
            metavar="REASON",
            help="That ended for this reason; repeat it.",
            autocompletion=completion.reasons,
        ),
    ] = None,
    statuses: Annotated[
        list[int] | None,
        typer.Option("--status", metavar="CODE", min=100, max=599, help="HTTP status of the last attempt; repeat it."),
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="DURATION", help="That ended in the last 30s, 2d, 1h30m.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="DURATION", help="That ended longer ago than 30s, 2d, 1h30m.")
    ] = None,
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
        campaigns=tuple(read_campaign(name) for name in campaigns or ()),
        states=tuple(state.value for state in states or ()),
        reasons=tuple(read_text(reason, "--reason") for reason in reasons or ()),
        statuses=tuple(statuses or ()),
        since=first,
        until=last,
    )


def takes_filter(command: Callable[..., None]) -> Callable[..., None]:
    """A command with the parameters of ``read_filter`` in place of its own ``chosen``, the filter that they make."""
    of_filter = signature(read_filter, eval_str=True).parameters
    own = dict(signature(command, eval_str=True).parameters)
    del own["chosen"]
    first = [one for one in own.values() if one.kind is Parameter.POSITIONAL_OR_KEYWORD]
    last = [one for one in own.values() if one.kind is Parameter.KEYWORD_ONLY]
    parameters = [one.replace(kind=Parameter.KEYWORD_ONLY) for one in (*first, *of_filter.values(), *last)]

    @wraps(command)
    def run(**given: object) -> None:
        facts: dict[str, Any] = {name: given.pop(name) for name in of_filter}
        command(**given, chosen=read_filter(**facts))

    run.__signature__ = Signature(parameters)  # type: ignore[attr-defined] # as the library inspect has it
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    return run


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
