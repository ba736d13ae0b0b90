"""How the worker's commands print: tables for people, JSON for programs."""

import sys

import msgspec
import typer
from rich.console import Console
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

from ajo_worker.words import UNKNOWN

PIPE_WIDTH = 1000
"""Columns where no terminal says how many it has: no cell is ever broken or cut for a program that reads lines."""
GAP = "  "
"""What rich puts between two columns."""


def make_console() -> Console:
    """A console as wide as the terminal, and wide enough for any table where a program reads it."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)


def print_json(content: object) -> None:
    """Print structures as JSON: ISO times, null for what is unknown, two spaces of indent."""
    typer.echo(msgspec.json.format(msgspec.json.encode(content), indent=2).decode())


def make_table(*columns: str, numbers: int = 0) -> Table:
    """An empty table without lines; the last ``numbers`` columns are aligned to the right."""
    table = Table(box=None, pad_edge=False)
    for index, column in enumerate(columns):
        right = index >= len(columns) - numbers
        table.add_column(column, justify="right" if right else "left", overflow="fold", no_wrap=right)
    return table


def print_whole(console: Console, table: Table) -> None:
    """Print a table of which no word is cut in two: half an id can't be copied, and finds nothing.

    Where the terminal is narrower than that, it breaks the lines by itself, and still copies them whole.
    """
    wide = console.options.update(width=PIPE_WIDTH)
    asked = [_asked(console, column) for column in table.columns]
    left = console.width - sum(one.minimum for one in asked) - len(GAP) * (len(asked) - 1)
    for column, one in zip(table.columns, asked, strict=True):
        more = min(max(left, 0), one.maximum - one.minimum)
        column.width, left = one.minimum + more, left - more
    for line in console.render_lines(table, wide, pad=False):
        text = Text.assemble(*((segment.text, segment.style or "") for segment in line))
        text.rstrip()
        console.print(text, soft_wrap=True)


def print_part(console: Console, part: Table | str) -> None:
    """Print a part of a report: a table of which no word is cut in two, or a line, which the terminal breaks."""
    if isinstance(part, Table):
        print_whole(console, part)
    else:
        console.print(part, markup=False, soft_wrap=True)


def _asked(console: Console, column: Column) -> Measurement:
    """How wide a column must be, for its longest word, and how wide it would like to be."""
    wide = console.options.update(width=PIPE_WIDTH)
    parts = [Measurement.get(console, wide, part) for part in (column.header, *column.cells)]
    longest = max(part.maximum for part in parts)
    return Measurement(longest if column.no_wrap else max(part.minimum for part in parts), longest)


def cell(value: object) -> Text:
    """Text for a cell; a character that steers a terminal is replaced, since some texts come from outside."""
    text = UNKNOWN if value is None else str(value)
    return Text("".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text))
