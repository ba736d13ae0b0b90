"""Reading a mapping file, ``events.toml``: every fault at once, with file, line, field and a suggestion.

It is checked against the campaign definitions, so that what no event could ever fulfil is told before one comes.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from msgspec import UNSET

from ajo_producers.campaigns.definition import AREAS, Definition, Variable
from ajo_producers.campaigns.folder import Definitions
from ajo_producers.campaigns.nearest import suggestion
from ajo_producers.campaigns.rules import NAME_RULE, Flaw, is_name
from ajo_producers.campaigns.toml_files import NO_VARIABLES, BadFile, data_of, line_of, text_of
from ajo_producers.campaigns.values import few, takes
from ajo_producers.contract.addresses import FIELDS as ADDRESSES
from ajo_producers.events.expressions import Expression, ExpressionError, read_expression
from ajo_producers.events.mapping import PATTERNS, EventMapping, Mappings, Missing, Unmatched, Value

DEFAULT_FILE = Path("events.toml")
FIELDS = ("to", "user_id", "key", "occurred_at", "expires_in", "expires_at", "trace_id")
"""Fields of a trigger that one expression each gives."""
IDENTIFYING = ("key", "occurred_at")
"""Where these find nothing, the event is refused: without them, a repetition would be another message."""

_SETTINGS = ("unmatched", "extensions")
_OWN = ("campaign", *PATTERNS, "when", *FIELDS, *AREAS)
_OF_VALUE = ("from", "value", "default", "missing")


class MappingError(ValueError):
    """A mapping file that can't be used; ``problems`` has a line for each fault, with file, line and field."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def load_mappings(path: Path | str, definitions: Definitions) -> Mappings:
    """Read a mapping file, and check it against the campaigns that it names.

    Raises:
        MappingError: it can't be read, is no TOML, or has faults; all of them together.
    """
    path = Path(path)
    try:
        text = text_of(path)
    except BadFile as bad:
        raise MappingError([str(bad)]) from bad
    return parse_mappings(text, path, definitions)


def parse_mappings(text: str, path: Path, definitions: Definitions) -> Mappings:
    """The mappings that a file's text holds.

    Raises:
        MappingError: as for ``load_mappings``.
    """
    try:
        data = data_of(text, path)
    except BadFile as bad:
        raise MappingError([str(bad)]) from bad
    reading = _Reading(data, definitions)
    mappings = tuple(reading.mappings())
    if reading.flaws:
        raise MappingError(_located(path, text, reading.flaws))
    return Mappings(mappings, reading.unmatched)


def _located(path: Path, text: str, flaws: Iterable[Flaw]) -> list[str]:
    lines = sorted(((line_of(text, flaw.field) or 0) if flaw.field else 0, flaw) for flaw in flaws)
    return [
        f"{path}{f':{line}' if line else ''}: {f'{flaw.field} ' if flaw.field else ''}{flaw.text}"
        for line, flaw in lines
    ]


class _Reading:
    """One pass over a file's tables; ``flaws`` are gathered on the way."""

    def __init__(self, data: Mapping[str, Any], definitions: Definitions) -> None:
        self._data, self._definitions = data, definitions
        self.flaws: list[Flaw] = []
        self._extensions = self._read_extensions()
        self.unmatched: Unmatched = data.get("unmatched", "dead-letter")
        if self.unmatched not in get_args(Unmatched):
            self._flaw("unmatched", f"must be {' or '.join(get_args(Unmatched))}")

    def mappings(self) -> Iterator[EventMapping]:
        """The tables that have no fault that hides all others."""
        tables = {name: table for name, table in self._data.items() if name not in _SETTINGS}
        if not tables:
            self._flaw("", "no mappings: each is a table, such as [order-shipped]")
        for name, table in tables.items():
            if not isinstance(table, dict):
                hint = suggestion(name, _SETTINGS, "what belongs to a mapping stands below its [name]")
                self._flaw(name, f"is no table and no setting of the file; {hint}")
            elif not is_name(name):
                self._flaw(name, f"is no mapping's name: it must be {NAME_RULE}")
            else:
                yield self._mapping(name, table)

    def _flaw(self, field: str, text: str) -> None:
        self.flaws.append(Flaw(field, text))

    def _read_extensions(self) -> tuple[str, ...]:
        named = self._data.get("extensions", [])
        if isinstance(named, list) and all(isinstance(one, str) for one in named):
            return tuple(named)
        self._flaw("extensions", 'must be a list of attribute names, such as ["tenant"]')
        return ()

    def _mapping(self, name: str, table: Mapping[str, Any]) -> EventMapping:
        for field in table:
            if field not in _OWN:
                self._flaw(f"{name}.{field}", f"is unknown; {suggestion(field, _OWN)}")
        campaign = table.get("campaign", name)
        definition = self._definitions.get(campaign) if isinstance(campaign, str) else None
        if definition is None:
            said = "campaign" in table
            about = f"is {campaign!r}, which no campaign is called" if said else "is no campaign's name: add campaign ="
            self._flaw(f"{name}.campaign" if said else name, f"{about}; {suggestion(str(campaign), self._definitions)}")
        patterns = {attribute: self._patterns(name, attribute, table) for attribute in PATTERNS if attribute in table}
        when = self._expression(f"{name}.when", table["when"]) if "when" in table else None
        if set(table) <= {*_OWN} - {*PATTERNS, "when"}:
            self._flaw(name, "takes every event there is: say which, by type, source, subject or when")
        fields = {field: self._value(f"{name}.{field}", field, table[field]) for field in FIELDS if field in table}
        for area in AREAS:
            fields |= self._area(name, area, table.get(area, {}), definition)
        if definition is not None:
            self._check_complete(name, fields, definition)
        return EventMapping(name, str(campaign), patterns, when, fields)

    def _patterns(self, name: str, attribute: str, table: Mapping[str, Any]) -> tuple[str, ...]:
        given = table[attribute]
        patterns = given if isinstance(given, list) else [given]
        if not patterns or not all(isinstance(pattern, str) and pattern for pattern in patterns):
            self._flaw(f"{name}.{attribute}", "must be text, or a list of texts; * stands for any characters")
            return ()
        return tuple(patterns)

    def _area(self, name: str, area: str, table: object, definition: Definition | None) -> dict[str, Value]:
        if not isinstance(table, dict):
            self._flaw(f"{name}.{area}", NO_VARIABLES)
            return {}
        values: dict[str, Value] = {}
        for path, given in _leaves(table):
            field = f"{area}.{path}"
            value = values[field] = self._value(f"{name}.{field}", field, given)
            if definition is None:
                continue
            known: Mapping[str, Variable] = getattr(definition, area)
            if (variable := known.get(path)) is None:
                self._flaw(f"{name}.{field}", f"is no variable of {definition.name}; {suggestion(path, known)}")
                continue
            for one in (value.constant, value.default):
                if one is not None and not takes(variable)(one):
                    wanted = f"one of {few(variable)}" if few(variable) else f"of type {variable.type}"
                    self._flaw(f"{name}.{field}", f"must be {wanted}, as {definition.name} has it")
        return values

    def _check_complete(self, name: str, fields: Mapping[str, Value], definition: Definition) -> None:
        """What the campaign needs and nothing gives, whatever event may come."""
        addressed = "to" in fields or "user_id" in fields
        if not addressed:
            self._flaw(name, 'has no recipient: add to = "data.…", where the address stands in the event')
        for area in AREAS:
            for path, variable in getattr(definition, area).items():
                given_by_to = area == "channel_data" and path in ADDRESSES and "to" in fields
                needed = variable.required and variable.default is UNSET
                if needed and not given_by_to and f"{area}.{path}" not in fields and addressed:
                    self._flaw(name, f"gives no {area}.{path}, which {definition.name} needs")

    def _value(self, place: str, field: str, given: object) -> Value:
        missing: Missing = "refuse" if field in IDENTIFYING else "omit"
        if isinstance(given, str):
            return Value(self._expression(place, given), missing=missing)
        if isinstance(given, bool | int | float):
            return Value(constant=given)
        if not isinstance(given, dict):
            self._flaw(place, 'must be an expression, such as "data.orderId", or { value = … } for a constant')
            return Value()
        for name in given:
            if name not in _OF_VALUE:
                self._flaw(f"{place}.{name}", f"is unknown; {suggestion(name, _OF_VALUE)}")
        if ("from" in given) == ("value" in given):
            self._flaw(place, "must have either from (an expression) or value (a constant)")
            return Value()
        if "value" in given:
            for name in ("default", "missing"):
                if name in given:
                    self._flaw(f"{place}.{name}", "has no meaning beside value, which is never missing")
            return Value(constant=given["value"])
        if (chosen := given.get("missing", missing)) not in get_args(Missing):
            self._flaw(f"{place}.missing", f"must be {', '.join(get_args(Missing)[:-1])} or {get_args(Missing)[-1]}")
        elif "missing" in given and "default" in given:
            self._flaw(f"{place}.missing", "has no meaning beside default, which takes its place")
        elif chosen == "omit" and field in IDENTIFYING:
            self._flaw(f"{place}.missing", "can't be omit: without it, a repeated event would be another message")
        return Value(self._expression(f"{place}.from", given["from"]), None, given.get("default"), chosen)

    def _expression(self, place: str, text: object) -> Expression | None:
        try:
            return read_expression(text, self._extensions)
        except ExpressionError as error:
            self._flaw(place, str(error))
            return None


def _leaves(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, object]]:
    """The variables of an area, by their dotted paths; a table without ``from`` or ``value`` holds more of them."""
    for name, given in table.items():
        path = f"{before}{name}"
        if isinstance(given, dict) and given and not set(given) & set(_OF_VALUE):
            yield from _leaves(given, f"{path}.")
        else:
            yield path, given
