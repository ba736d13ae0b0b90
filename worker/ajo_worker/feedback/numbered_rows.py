"""Rows of exports as they are read from files, one after another and numbered."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal


class UnreadableFile(Exception):  # noqa: N818 - it is what it is called
    """The file, or the rest of it, can't be read; the text says why."""


class UnreadableRow(ValueError):  # noqa: N818 - as above
    """One row can't be read; the next ones can."""


@dataclass(frozen=True, slots=True)
class NumberedRow:
    """A row, or what is wrong with it; ``number`` is its line, from 1, or in Parquet its place."""

    number: int
    content: dict[str, object] | UnreadableRow


@dataclass(frozen=True, slots=True)
class RowSource:
    """The rows of a file. ``total`` counts what ``done`` counts on: bytes of the file, or rows of Parquet."""

    rows: Iterator[NumberedRow]
    number_is: Literal["line", "row"]
    total: int
    done: Callable[[], int]
