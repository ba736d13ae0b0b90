"""Triggers from text: options ``context.orderId=A-1``, lines of a CSV file, lines of JSON. One line at a time."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from ajo_producers.campaigns.definition import Definition, Variable
from ajo_producers.campaigns.folder import AREAS
from ajo_producers.campaigns.nearest import nearest
from ajo_producers.publishing.given import FIELDS, GivenTrigger, read_given

COLUMNS = tuple(name for name in FIELDS if name not in (*AREAS, "recipients"))
"""Columns that are no variables."""
MAX_CELL = 1_000_000


class Line(NamedTuple):
    """A trigger as a line of a file has it, None if it can't be read at all; ``number`` counts from 1."""

    number: int
    given: GivenTrigger | None
    problems: list[str]


class BadHeader(ValueError):  # noqa: N818 - what it is
    """The first line of a CSV file doesn't say what its columns are."""


def text_lines(lines: Iterable[bytes]) -> Iterator[str]:
    """Lines of UTF-8 text with their ends; bytes that are none become lone surrogates, to be found later."""
    for index, line in enumerate(lines):
        yield line.removeprefix(b"\xef\xbb\xbf" if index == 0 else b"").decode(errors="surrogateescape")


def read_csv(lines: Iterable[str], definition: Definition, defaults: Mapping[str, Any]) -> Iterator[Line]:
    """The triggers of a CSV file with a header such as ``to,key,context.orderId``; an empty cell is none.

    Raises:
        BadHeader: at once, before a line is read.
    """
    csv.field_size_limit(MAX_CELL)
    rows = csv.reader(lines, strict=True)
    try:
        header = [name.strip() for name in next(rows, [])]
    except csv.Error as error:
        raise BadHeader(str(error)) from error
    _check_header(header, definition)
    return _csv_lines(rows, header, definition, defaults)


def read_jsonl(lines: Iterable[str], defaults: Mapping[str, Any]) -> Iterator[Line]:
    """The triggers of a file with a JSON object a line, with the names that ``Campaign.trigger`` has."""
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            data = msgspec.json.decode(text.encode())
        except (msgspec.DecodeError, RecursionError) as error:
            yield Line(number, None, [str(error)])
        except UnicodeEncodeError:
            yield Line(number, None, ["it is not UTF-8 text"])
        else:
            if isinstance(data, dict):
                yield Line(number, *read_given(_with_defaults(data, defaults)))
            else:
                yield Line(number, None, ["it is no JSON object"])


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
        value: Any = text
        variable = _variables(definition, area).get(path)
        if variable is not None and variable.type in ("object", "array"):
            try:
                value = msgspec.json.decode(text)
            except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
                problems.append(f"{name} must be JSON: an {variable.type}")
                continue
        if not _put(data.setdefault(area, {}), path.split("."), value):
            problems.append(f"{name} lies inside another value that is given too")
    given, more = read_given(_with_defaults(data, defaults), from_text=True)
    return given, problems + more


def _csv_lines(
    rows: Any,  # noqa: ANN401 - csv's reader has no public type
    header: list[str],
    definition: Definition,
    defaults: Mapping[str, Any],
) -> Iterator[Line]:
    while True:
        number = rows.line_num + 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Line(number, None, [f"it is no CSV: {error}"])
            continue
        if not row:
            continue
        if len(row) != len(header):
            yield Line(number, None, [f"it has {len(row)} cells, and the header {len(header)} columns"])
        elif any("\udc80" <= character <= "\udcff" for cell in row for character in cell):
            yield Line(number, None, ["it is not UTF-8 text"])
        else:
            texts = {
                name: cell.strip() if name in COLUMNS else cell
                for name, cell in zip(header, row, strict=True)
                if cell.strip()
            }
            yield Line(number, *read_texts(texts, definition, defaults))


def _check_header(header: list[str], definition: Definition) -> None:
    if not any(header):
        raise BadHeader("the first line must name the columns, such as: to,key,context.orderId")
    known = [*COLUMNS, *(f"{area}.{path}" for area in AREAS for path in _variables(definition, area))]
    for name in header:
        area, _, path = name.partition(".")
        inside = any(path.startswith(f"{variable}.") for variable in _variables(definition, area))
        if name not in known and not inside:
            near = nearest(name, known)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
            # A name with spaces or an @ may be a value: then the header is what is missing.
            shown = f"column {name}" if all(step.isidentifier() for step in name.split(".")) else "a column"
            raise BadHeader(f"{shown} is unknown; {hint}")
        if header.count(name) > 1:
            raise BadHeader(f"column {name} stands there twice")


def _variables(definition: Definition, area: str) -> Mapping[str, Variable]:
    return getattr(definition, area) if area in AREAS else {}


def _with_defaults(data: dict[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """With ``expires_in`` from the command line, unless the line says itself when it expires."""
    return data if "expires_in" in data or "expires_at" in data else {**defaults, **data}


def _put(tree: dict[str, Any], steps: list[str], value: object) -> bool:
    for step in steps[:-1]:
        tree = tree.setdefault(step, {})
        if not isinstance(tree, dict):
            return False
    return tree.setdefault(steps[-1], value) is value
