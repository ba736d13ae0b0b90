"""Reading the folder of campaign definitions; with the standard library and msgspec alone, since workers do it too."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args, get_origin
from urllib.parse import urlsplit

import msgspec
from msgspec import NODEFAULT, ValidationError, structs

from ajo_producers.campaigns.definition import AREAS, Definition, Variable
from ajo_producers.campaigns.mismatch import mismatch
from ajo_producers.campaigns.nearest import suggestion
from ajo_producers.campaigns.rules import NAME_RULE, Flaw, flaws, is_allowed, is_name
from ajo_producers.campaigns.toml_files import NO_VARIABLES, BadFile, data_of, line_of, text_of
from ajo_producers.contract.reading import read_text

DEFAULT_FOLDER = Path("campaigns")
"""Where AJO_CAMPAIGNS doesn't say another one."""
FIELDS = {field.name: field for field in structs.fields(Definition) if field.name != "name"}


class DefinitionError(ValueError):
    """Definitions that can't be used; ``problems`` has a line for each fault, with file, line and field."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class UnknownCampaignError(KeyError):
    """No definition has this name."""

    def __str__(self) -> str:
        return str(self.args[0])


class Definitions(dict[str, Definition]):
    """Definitions by name; asking for an unknown one names the nearest."""

    def __missing__(self, name: str) -> Definition:
        """Raise ``UnknownCampaignError``."""
        called = f"no campaign is called {name!r}" if is_name(name) else "that is no campaign's name"  # an address, say
        raise UnknownCampaignError(f"{called}; {suggestion(name, self)}")


def load_definitions(folder: Path | str) -> Definitions:
    """Read every ``*.toml`` of a folder, by name.

    Raises:
        DefinitionError: there is no such folder, or files are faulty: the faults of all of them together.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DefinitionError([f"{folder}: no such folder of campaign definitions"])
    loaded = Definitions()
    problems: list[str] = []
    for path in sorted(folder.glob("[!.]*.toml")):
        try:
            loaded[path.stem] = load_definition(path)
        except DefinitionError as error:
            problems += error.problems
    if problems:
        raise DefinitionError(problems)
    return loaded


def names_in(folder: Path | str, begin: str = "") -> list[str]:
    """The names of the campaigns in a folder that begin so, whatever their files hold; for the shell's completion."""
    return sorted(path.stem for path in Path(folder).glob("[!.]*.toml") if path.stem.startswith(begin))


def load_definition(path: Path | str) -> Definition:
    """Read one definition file; its name without ``.toml`` is the campaign's.

    Raises:
        DefinitionError: the file can't be read, is no TOML, or breaks a rule; all faults together.
    """
    path = Path(path)
    try:
        text = text_of(path)
    except BadFile as bad:
        raise DefinitionError([str(bad)]) from bad
    return parse_definition(text, path)


def parse_definition(text: str, path: Path) -> Definition:
    """The definition that a file's text holds.

    Raises:
        DefinitionError: as for ``load_definition``.
    """
    if not is_name(path.stem):
        raise DefinitionError([f"{path}: the file's name must be {NAME_RULE}, with .toml"])
    try:
        data = data_of(text, path)
    except BadFile as bad:
        raise DefinitionError([str(bad)]) from bad
    values, found = _convert(data)
    if not found:
        definition = Definition(name=path.stem, **values)
        found = flaws(definition)
        if not found:
            return definition
    raise DefinitionError([_located(path, text, flaw) for flaw in found])


def foreign(folder: Path, definitions: Definitions, hosts: Sequence[str]) -> list[str]:
    """A line for each definition whose endpoint no worker calls, since its host is none of ``hosts`` (patterns)."""
    problems = []
    for name, definition in definitions.items():
        if not is_allowed(definition.endpoint, hosts):
            path, host = folder / f"{name}.toml", urlsplit(definition.endpoint).hostname
            flaw = Flaw("endpoint", f"leads to a foreign host: {host!r} is not allowed, only {' and '.join(hosts)}")
            problems.append(_located(path, read_text(path, "utf-8-sig"), flaw))
    return problems


def _located(path: Path, text: str, flaw: Flaw) -> str:
    line = line_of(text, flaw.field)
    return f"{path}{f':{line}' if line else ''}: {flaw.field} {flaw.text}"


def _convert(data: dict[str, Any]) -> tuple[dict[str, Any], list[Flaw]]:
    """Field by field, since msgspec stops at the first fault and names no key of a table."""
    values: dict[str, Any] = {}
    found = [Flaw(name, _unknown(name, list(FIELDS))) for name in data if name not in FIELDS]
    for name, field in FIELDS.items():
        if name in data:
            if name in AREAS:
                values[name], more = _convert_area(name, data[name])
            else:
                values[name], more = _convert_value(name, data[name], field.type)
            found += more
        elif field.default is NODEFAULT and field.default_factory is NODEFAULT:
            found.append(Flaw(name, "is missing"))
    return values, found


def _convert_area(area: str, table: object) -> tuple[dict[str, Variable], list[Flaw]]:
    if not isinstance(table, dict):
        return {}, [Flaw(area, NO_VARIABLES)]
    variables, found = {}, []
    for path, entry in table.items():
        field = f"{area}.{path}"
        if isinstance(entry, dict) and entry and all(isinstance(inner, dict) for inner in entry.values()):
            inner = next(iter(entry))
            found.append(Flaw(field, f'is a table of tables; put a dotted path in quotes: "{path}.{inner}" = {{ … }}'))
            continue
        variables[path], more = _convert_value(field, entry, Variable)
        found += more
    return variables, found


def _convert_value(field: str, value: object, kind: Any) -> tuple[Any, list[Flaw]]:  # noqa: ANN401 - any field's type
    try:
        return msgspec.convert(value, kind), []
    except ValidationError as error:
        text, _, place = str(error).partition(" - at `$.")
        if place:
            field = f"{field}.{place.rstrip('`')}"
        if kind is Variable:
            kind = Variable.__annotations__.get(place.rstrip("`"), kind)
        if "unknown field" in text:
            name = text.split("`")[1]
            return None, [Flaw(f"{field}.{name}", _unknown(name, list(Variable.__struct_fields__)))]
        if text.startswith("Invalid enum value"):
            return None, [Flaw(field, f"is {text.removeprefix('Invalid enum value ')}; choose {_choices(kind)}")]
        return None, [Flaw(field, mismatch(text))]


def _choices(kind: Any) -> str:  # noqa: ANN401 - any field's type
    literal = kind if get_origin(kind) is not None else str
    return " or ".join(map(str, get_args(literal)))


def _unknown(name: str, known: list[str]) -> str:
    return f"is unknown; {suggestion(name, known)}"
