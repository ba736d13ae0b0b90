"""Triggers from CSV, as spreadsheets and databases write it."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ajo_producers.campaigns.definition import AREAS, Definition
from ajo_producers.campaigns.nearest import suggestion
from ajo_producers.cli.trigger_lines import COLUMNS, Line, read_texts, variables
from ajo_producers.cli.trigger_text import BadFile
from ajo_producers.contract.addresses import cut
from ajo_producers.contract.counted import counted
from ajo_producers.contract.delimiters import DELIMITERS

MAX_CELL = 1_000_000
_SAYS = re.compile(r"\"?sep=(?P<delimiter>[^\r\n])\"?[\r\n]*", re.IGNORECASE)
"""Excel's own first line, which says what separates the columns."""


class _Head(NamedTuple):
    """The columns in their order, without a name where there is none; ``lines`` is how many the head takes."""

    delimiter: str
    names: list[str]
    lines: int


def read_csv(lines: Iterable[str], definition: Definition, defaults: Mapping[str, Any]) -> Iterator[Line]:
    """The triggers of a CSV file with a header such as ``to,key,context.orderId``; an empty cell is none.

    The delimiter is the one with which the header's columns are all known. Columns without a name and without a value,
    and rows without a value, are left out: spreadsheets add them.

    Raises:
        BadFile: at once, before a line is read: the header doesn't say what the columns are.
    """
    csv.field_size_limit(MAX_CELL)
    rest = iter(lines)
    head = _read_head(rest, definition)
    return _rows(csv.reader(rest, delimiter=head.delimiter, strict=True), head, definition, defaults)


def _read_head(lines: Iterator[str], definition: Definition) -> _Head:
    text, number, said = next(lines, ""), 1, None
    if says := _SAYS.fullmatch(text):
        text, number, said = next(lines, ""), 2, says["delimiter"]
    tried = {delimiter: _names(text, delimiter) for delimiter in dict.fromkeys([said or ",", *DELIMITERS])}
    headers = {delimiter: names for delimiter, names in tried.items() if names is not None}
    if not headers:
        raise BadFile("the header is no CSV: a quotation mark is in the wrong place", number)
    known = _known(definition)
    fits = {delimiter: len(names) for delimiter, names in headers.items() if not _unknown(names, known, definition)}
    delimiter = max(fits, key=fits.__getitem__) if fits else _likeliest(headers, known, definition)
    if said is not None and said not in fits and fits:
        there = _called(delimiter)
        raise BadFile(f"line 1 says sep={said}, but {there} separate the columns: correct one of them", number)
    names = headers[said if said in fits else delimiter]
    if not any(names):
        raise BadFile("the first line must name the columns, such as: to,key,context.orderId", number)
    for name in _unknown(names, known, definition):
        raise BadFile(_explain(name, names, known, delimiter), number)
    if twice := next((name for name in names if name and names.count(name) > 1), None):
        raise BadFile(f"column {twice} stands there twice", number)
    return _Head(said if said in fits and said else delimiter, names, number)


def _names(text: str, delimiter: str) -> list[str] | None:
    """The names of a header, if it can be read with this delimiter."""
    try:
        return [cut(name) for name in next(csv.reader([text], delimiter=delimiter, strict=True), [])]
    except csv.Error:
        return None


def _known(definition: Definition) -> list[str]:
    return [*COLUMNS, *(f"{area}.{path}" for area in AREAS for path in variables(definition, area))]


def _unknown(names: Sequence[str], known: Sequence[str], definition: Definition) -> list[str]:
    """The names that are neither a column nor lie inside a variable."""
    unknown = []
    for name in names:
        area, _, path = name.partition(".")
        inside = any(path.startswith(f"{variable}.") for variable in variables(definition, area))
        if name and name not in known and not inside:
            unknown.append(name)
    return unknown


def _likeliest(headers: Mapping[str, list[str]], known: Sequence[str], definition: Definition) -> str:
    """Of delimiters none of which fits, the one with which most columns are known; the first of several."""
    counts = {
        delimiter: len([name for name in names if name]) - len(_unknown(names, known, definition))
        for delimiter, names in headers.items()
    }
    return max(counts, key=counts.__getitem__)


def _explain(name: str, names: Sequence[str], known: Sequence[str], delimiter: str) -> str:
    hint = suggestion(name, known)
    # A name with spaces or an @ may be a value: then the header is what is missing.
    shown = f"column {name}" if all(step.isidentifier() for step in name.split(".")) else "a column"
    if delimiter != ",":
        return f"{shown} is unknown; {hint} ({_called(delimiter)} separate the columns)"
    some_known = any(one in known for one in names)
    return f"{shown} is unknown; {hint}" + ("" if some_known else "; commas, semicolons, tabs or bars separate columns")


def _called(delimiter: str) -> str:
    return DELIMITERS.get(delimiter, delimiter)


def _rows(
    rows: Any,  # noqa: ANN401 - csv's reader has no public type
    head: _Head,
    definition: Definition,
    defaults: Mapping[str, Any],
) -> Iterator[Line]:
    width = max(index for index, name in enumerate(head.names, 1) if name)
    while True:
        number = head.lines + rows.line_num + 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Line(number, None, [_no_csv(str(error), head.lines + rows.line_num, number)])
            continue
        if not any(map(cut, row)):
            continue
        if len(row) < width or any(map(cut, row[len(head.names) :])):
            yield Line(number, None, [f"it has {counted(len(row), 'cell')}, and the header {counted(width, 'column')}"])
        elif nameless := next((index for index, cell in enumerate(row) if cut(cell) and not head.names[index]), None):
            yield Line(number, None, [f"its cell {nameless + 1} has a value, and the column no name"])
        elif any("\udc80" <= character <= "\udcff" for cell in row for character in cell):
            yield Line(number, None, ["it is not UTF-8 text"])
        else:
            texts = {
                name: cut(cell) if name in COLUMNS else cell
                for name, cell in zip(head.names, row, strict=False)
                if name and cut(cell)
            }
            yield Line(number, *read_texts(texts, definition, defaults))


def _no_csv(reason: str, last: int, first: int) -> str:
    """What is wrong with a row that can't be read, and how many lines it has taken with it."""
    if "unexpected end" in reason:
        reason = "a quotation mark is never closed"
    return f"it is no CSV: {reason}" + (f"; it takes all lines up to {last:,} with it" if last > first else "")
