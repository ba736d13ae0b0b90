"""How campaign definitions are shown: as a list, in full, and as an example to copy."""

import json
import shlex
import sys
from collections.abc import Iterable, Iterator
from pprint import pformat
from typing import Any

import msgspec
from msgspec import UNSET
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ajo_producers.campaigns.call_digest import call_digest
from ajo_producers.campaigns.definition import AREAS, Definition, Variable
from ajo_producers.campaigns.values import few
from ajo_producers.contract.addresses import FIELDS as ADDRESSES
from ajo_producers.contract.addresses import NAMESPACES

SOMEBODY = {"email": "ada@example.com", "phone": "+12025550123"}


def make_console() -> Console:
    """A console for tables: as wide as the terminal, and wide enough for any table where a program reads it."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 200)


def summary(definition: Definition) -> dict[str, Any]:
    """A line of the list, as JSON."""
    return {
        "name": definition.name,
        "lane": definition.lane,
        "campaign_id": definition.campaign_id,
        "sandbox": definition.sandbox,
        "start": definition.start and definition.start.isoformat(),
        "end": definition.end and definition.end.isoformat(),
        "required": [path for path, variable in _variables(definition) if _needed(variable) == "required"],
    }


def details(definition: Definition) -> dict[str, Any]:
    """The whole definition as JSON, each variable with all that concerns it."""
    built = msgspec.to_builtins(definition) | {"call_digest": call_digest(definition)}
    for area in AREAS:
        built[area] = {
            path: {"type": variable.type, "required": _needed(variable) == "required"}
            | {name: value for name in ("default", "one_of") if (value := getattr(variable, name)) is not UNSET}
            for path, variable in getattr(definition, area).items()
        }
    return dict(built) | {"example": shell_example(definition)}


def overview(definitions: Iterable[Definition]) -> Table:
    """The list as a table."""
    table = Table("Name", "Lane", "Sandbox", "Campaign id", "Variables", box=None, pad_edge=False)
    for definition in definitions:
        variables = [_needed(variable) for _, variable in _variables(definition)]
        counts = f"{len(variables)}, {variables.count('required')} required"
        row = (definition.name, definition.lane, definition.sandbox, definition.campaign_id, counts)
        table.add_row(*map(Text, row))
    return table


def show(definition: Definition, folder: str, console: Console) -> None:
    """Print a definition: where it goes, what a trigger must bring, and how one is made."""
    facts = Table(box=None, show_header=False, pad_edge=False)
    for field in (field for field in definition.__struct_fields__ if field not in AREAS):
        value = getattr(definition, field)
        if value is not None and value != ():
            facts.add_row(Text(field, "bold"), Text(", ".join(value) if isinstance(value, tuple) else str(value)))
    facts.add_row(Text("call digest", "bold"), Text(call_digest(definition)))
    console.print(facts)
    variables = Table("A trigger brings", "Type", "", box=None, pad_edge=False)
    for path, variable in _variables(definition):
        values = few(variable)
        needed = _needed(variable) + (f", one of {values}" if values else "")
        variables.add_row(*map(Text, (path, variable.type, needed)))
    console.print()
    console.print(variables)
    for example in (python_example(definition, folder), shell_example(definition)):
        console.print()
        console.print(Text(example), soft_wrap=True)


def python_example(definition: Definition, folder: str) -> str:
    """Python that publishes one trigger with what is required."""
    given = "".join(
        f"    {area}={_literal(values, 5 + len(area))},\n"
        for area in AREAS
        if (values := _nested(_to_give(definition, area)))
    )
    return (
        "from ajo_producers import Campaigns, Publisher\n\n"
        f'trigger = Campaigns.load({json.dumps(folder)})["{definition.name}"].trigger(\n'
        f'    to="{_somebody(definition)}",\n{given})\n'
        "Publisher.from_env().publish(trigger)"
    )


def shell_example(definition: Definition) -> str:
    """The command that publishes one trigger with what is required."""
    options = [
        f"--{area.replace('_', '-')} {shlex.quote(f'{path}={_text(_example(variable))}')}"
        for area in AREAS
        for path, variable in _to_give(definition, area).items()
    ]
    return " \\\n  ".join([f"ajo-dispatch trigger {definition.name} --to {_somebody(definition)}", *options])


def _somebody(definition: Definition) -> str:
    """An address that the campaign can take."""
    fields = [kind for name, kind in ADDRESSES.items() if name in definition.channel_data]
    return SOMEBODY[fields[0] if fields else NAMESPACES.get(definition.namespace.lower(), "email")]


def _variables(definition: Definition) -> Iterator[tuple[str, Variable]]:
    for area in AREAS:
        for path, variable in getattr(definition, area).items():
            yield f"{area}.{path}", variable


def _needed(variable: Variable) -> str:
    if variable.default is not UNSET:
        return f"default {json.dumps(variable.default, ensure_ascii=False)}"
    return "required" if variable.required else "optional"


def _to_give(definition: Definition, area: str) -> dict[str, Variable]:
    """The variables that an example must bring; the address is what ``to`` brings."""
    variables: dict[str, Variable] = getattr(definition, area)
    given_by_to = ADDRESSES if area == "channel_data" else {}
    return {
        path: variable
        for path, variable in variables.items()
        if _needed(variable) == "required" and path not in given_by_to
    }


def _literal(values: dict[str, Any], column: int) -> str:
    return pformat(values, width=90).replace("\n", "\n" + " " * column)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _example(variable: Variable) -> object:
    if variable.one_of is not UNSET:
        return variable.one_of[0]
    return {"string": "…", "number": 1, "boolean": True, "object": {}, "array": []}[variable.type]


def _nested(variables: dict[str, Variable]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for path, variable in variables.items():
        *parents, last = path.split(".")
        place = made
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = _example(variable)
    return made
