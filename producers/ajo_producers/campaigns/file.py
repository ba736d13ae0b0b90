"""Writing definition files: a new one to be reviewed, or into an existing one what a new sample changed.

Only imports need this module, so only they load tomlkit; reading is ``folder.py``.
"""

from pathlib import Path
from typing import Any, NamedTuple

import tomlkit
from msgspec import UNSET
from tomlkit.items import AbstractTable, Item

from ajo_producers.campaigns.definition import AREAS, FROM_SAMPLE, Definition, Variable
from ajo_producers.campaigns.folder import parse_definition
from ajo_producers.campaigns.rules import MAX_CALLS

_HEAD = (
    "Campaign definition, imported from the cURL sample that Journey Optimizer shows for the activated campaign.",
    "After a change there, import its new sample: what you edit below is kept. Reference: docs/campaigns.md",
)
_OPTIONAL = (
    "Optional. Calls outside start and end are refused by Journey Optimizer; times carry a zone.",
    "start = 2026-11-01T08:00:00Z",
    "end = 2027-11-01T08:00:00Z",
    'priority = "urgent"  # overtakes all other campaigns: for password resets and the like',
    "rate_limit = {limit}  # calls a second",
    "concurrency = 100  # calls under way at the same time",
    'on_ambiguous = "hold"  # a call that may have been accepted is not sent again, for fear of doubling it',
    "attempt_timeout = 20  # seconds until an answer must be there; without it, all of the budget: fewest doubles",
    "budget = 60  # seconds for all attempts of a trigger and the waits between them",
)
_AREA_COMMENTS = {
    "channel_data": ("The address to send to; what can be none is refused (address_check, docs/campaigns.md).",),
    "profile": ("Profile attributes, {{profile.PATH}} in the message.",),
    "context": (
        "Variables, {{context.PATH}} in the message. Journey Optimizer sends a missing one as blank, so each is",
        "required, unless you say required = false or give a default.",
    ),
}


class Merged(NamedTuple):
    """A definition file after an import, and the variables that the import added and removed, by full path."""

    text: str
    added: list[str]
    removed: list[str]


def render(definition: Definition) -> str:
    """A new file of what a sample says (``FROM_SAMPLE`` and variables), with comments for its reviewers."""
    document = tomlkit.document()
    for line in _HEAD:
        document.add(tomlkit.comment(line))
    document.add(tomlkit.nl())
    for field in FROM_SAMPLE:
        value = getattr(definition, field)
        if value is not None:
            document.add(field, tomlkit.item(value))
    document.add(tomlkit.nl())
    for line in _OPTIONAL:
        document.add(tomlkit.comment(line.format(limit=MAX_CALLS[definition.lane])))
    for area in AREAS:
        variables: dict[str, Variable] = getattr(definition, area)
        if variables:
            table = tomlkit.table()
            for line in _AREA_COMMENTS[area]:
                table.add(tomlkit.comment(line))
            for path, variable in variables.items():
                table.add(path, _entry(variable))
            document.add(tomlkit.nl())
            document.add(area, table)
    return tomlkit.dumps(document)


def merge(path: Path, text: str, definition: Definition) -> Merged:
    """Bring what a new sample says into a file's text, and keep what people wrote: comments, types, defaults, limits.

    Values that were asked for of the sample are added to those that a variable is one of.

    Raises:
        DefinitionError: the file is faulty, or would be so afterwards.
    """
    before = parse_definition(text, path)
    document = tomlkit.parse(text)
    for field in FROM_SAMPLE:
        value = getattr(definition, field)
        if value is not None and value != getattr(before, field):
            document[field] = value
    added, removed = [], []
    for area in AREAS:
        old, new = getattr(before, area), getattr(definition, area)
        gone = [name for name in old if name not in new]
        come = [name for name in new if name not in old]
        if come and area not in document:
            document.add(tomlkit.nl())
            document.add(area, tomlkit.table())
        table: Any = document.get(area)
        for name in gone:
            table.remove(name)
        for name in come:
            table.add(name, _entry(new[name]))
        for name in new:
            if name in old and (more := _more(old[name], new[name])):
                table[name]["one_of"] = more
        if isinstance(table, AbstractTable) and not new and area in document and gone:
            document.remove(area)
        added += [f"{area}.{name}" for name in come]
        removed += [f"{area}.{name}" for name in gone]
    merged = tomlkit.dumps(document)
    parse_definition(merged, path)
    return Merged(merged, added, removed)


def _entry(variable: Variable) -> Item:
    values = "" if variable.one_of is UNSET else f", one_of = {tomlkit.item(list(variable.one_of)).as_string()}"
    return tomlkit.value(f'{{ type = "{variable.type}", required = {str(variable.required).lower()}{values} }}')


def _more(old: Variable, new: Variable) -> list[str | int | float]:
    """The values that a variable is one of, where a sample adds to those that people wrote; else nothing."""
    have = () if old.one_of is UNSET else old.one_of
    shown = () if new.one_of is UNSET else new.one_of
    more = [value for value in (map(str, shown) if old.type == "string" else shown) if value not in have]
    return [*have, *more] if more else []
