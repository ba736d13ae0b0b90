"""A trigger as a line of a file or a command line has it: named texts, such as ``context.orderId`` and ``A-1``."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from ajo_producers.campaigns.definition import AREAS, Definition, Variable
from ajo_producers.campaigns.rules import LIVE_ACTIVITY
from ajo_producers.campaigns.values import from_text
from ajo_producers.cli.spreadsheets import cell_flaw
from ajo_producers.contract.addresses import cut
from ajo_producers.publishing.given import FIELDS, GivenTrigger, read_given

COLUMNS = tuple(name for name in FIELDS if name not in (*AREAS, "recipients"))
"""Columns that are no variables."""


class Line(NamedTuple):
    """A trigger as a line of a file has it, None if it can't be read at all; ``number`` counts from 1."""

    number: int
    given: GivenTrigger | None
    problems: list[str]


def read_texts(
    texts: Mapping[str, str], definition: Definition, defaults: Mapping[str, Any]
) -> tuple[GivenTrigger, list[str]]:
    """The trigger that named texts describe (columns, and variables such as ``context.orderId``); what is no value."""
    data: dict[str, Any] = {}
    problems: list[str] = []
    for name, text in texts.items():
        area, _, path = name.partition(".")
        if not path:
            data[name] = text
            continue
        value: Any = _inside(definition, area, path, text)
        if (variable := variables(definition, area).get(path)) is not None:
            if variable.type == "string" and area != "channel_data" and (flaw := cell_flaw(cut(text))):
                problems.append(f"{name} {flaw}")
                continue
            try:
                value = from_text(variable.type, text)
            except ValueError as error:
                problems.append(f"{name} {error}")
                continue
        if not _put(data.setdefault(area, {}), path.split("."), value):
            problems.append(f"{name} lies inside another value that is given too")
    given, more = read_given(with_defaults(data, defaults), from_text=True)
    return given, problems + more


def _inside(definition: Definition, area: str, path: str, text: str) -> Any:  # noqa: ANN401 - a JSON value
    """What a text means that has no type of its own: inside a Live activity's payload numbers must be numbers."""
    if area == "context" and path.startswith(f"{LIVE_ACTIVITY}.") and path not in definition.context:
        with suppress(ValueError):
            return from_text("number", text)
        with suppress(ValueError):
            return from_text("boolean", text)
    return text


def variables(definition: Definition, area: str) -> Mapping[str, Variable]:
    """The variables of an area; none if it is no area."""
    return getattr(definition, area) if area in AREAS else {}


def with_defaults(data: dict[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """With ``expires_in`` from the command line, unless the line says itself when it expires."""
    return data if "expires_in" in data or "expires_at" in data else {**defaults, **data}


def _put(tree: dict[str, Any], steps: list[str], value: object) -> bool:
    for step in steps[:-1]:
        tree = tree.setdefault(step, {})
        if not isinstance(tree, dict):
            return False
    return tree.setdefault(steps[-1], value) is value
