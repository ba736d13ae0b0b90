"""Files of exports: CSV and JSON lines, also compressed with gzip, and Parquet."""

import codecs
import csv
import gzip
import io
import os
import zlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Literal, Self, TypeAlias

import msgspec
from ajo_producers.contract.delimiters import DELIMITERS

from ajo_worker.feedback.numbered_rows import NumberedRow, RowSource, UnreadableFile, UnreadableRow
from ajo_worker.feedback.reading import is_read

Format: TypeAlias = Literal["csv", "jsonl", "parquet"]

SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
}
UTF_16 = codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE
"""How files begin that a spreadsheet has saved as "Unicode text"."""
LONGEST_LINE = 1_000_000
"""Characters of a line, or of a cell: what is longer is no feedback, and must not fill the memory."""
MOST_PARTS = 64
"""So many times the longest line are passed over to find a line's end; what has none by then has no lines."""
TOO_LONG = "is too long"


def format_of(path: Path) -> Format | None:
    """What a file holds, by its name; None if that doesn't say."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes[-1:] == [".gz"]:
        suffixes.pop()
    return SUFFIXES.get(suffixes[-1]) if suffixes else None


def open_rows(raw: BinaryIO, form: Format) -> RowSource:
    """The rows of an open file.

    Raises:
        UnreadableFile: it isn't what it should be; also while rows are read.
        ModuleNotFoundError: Parquet needs pyarrow, the extra ``parquet``.
    """
    if form == "parquet":
        from ajo_worker.feedback.parquet import open_parquet  # noqa: PLC0415 - pyarrow is an extra, and slow to import

        return open_parquet(raw)
    try:
        zipped = raw.read(2) == b"\x1f\x8b"
    except OSError as fault:
        raise UnreadableFile(_why(fault)) from None
    raw.seek(0)
    plain: BinaryIO = gzip.GzipFile(fileobj=raw) if zipped else raw  # type: ignore[assignment] # it reads like one
    size = os.fstat(raw.fileno()).st_size
    # What reads it closes it, at its end.
    return RowSource(_told(_rows(plain, form)), "line", size, lambda: size if raw.closed else raw.tell())


def _rows(plain: BinaryIO, form: Format) -> Iterator[NumberedRow]:
    wide = plain.read(2) in UTF_16
    plain.seek(0)
    # A byte that is no UTF-8 makes its row unreadable, and not the file.
    encoding, errors = ("utf-16", "replace") if wide else ("utf-8-sig", "surrogateescape")
    text = io.TextIOWrapper(plain, encoding, errors, newline="")
    yield from _csv_rows(text) if form == "csv" else _json_rows(text)


def _told(rows: Iterator[NumberedRow]) -> Iterator[NumberedRow]:
    try:
        yield from rows
    except EOFError:
        raise UnreadableFile("it is cut off: the rest is missing") from None
    except (OSError, zlib.error) as fault:
        raise UnreadableFile(_why(fault)) from None


def _why(fault: Exception) -> str:
    """A disk at fault has a number; a damaged archive has none."""
    if isinstance(fault, OSError) and fault.errno:
        return f"it can't be read: {fault.strerror}"
    return f"it is damaged: {type(fault).__name__}"


class _Lines:
    """The lines of a text with their ends. One that is too long is told as ``csv.Error``; the next one can be read."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.number = 0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = self._text.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        self.number += 1
        rest, parts = line, 1
        while len(rest) == LONGEST_LINE and not rest.endswith(("\n", "\r")):
            if parts == MOST_PARTS:
                raise UnreadableFile(f"line {self.number:,} has more than {LONGEST_LINE * MOST_PARTS:,} characters")
            rest, parts = self._text.readline(LONGEST_LINE), parts + 1
        if parts > 1:
            raise csv.Error(TOO_LONG)
        return line


def _json_rows(text: io.TextIOWrapper) -> Iterator[NumberedRow]:
    lines = _Lines(text)
    while True:
        try:
            line = next(lines, None)
        except csv.Error as fault:
            yield NumberedRow(lines.number, UnreadableRow(str(fault)))
            continue
        if line is None:
            return
        if line.strip():
            yield NumberedRow(lines.number, _json_row(line))


def _json_row(line: str) -> dict[str, object] | UnreadableRow:
    try:
        row = msgspec.json.decode(_utf8(line))
    except msgspec.DecodeError as fault:
        return UnreadableRow(f"is no JSON: {str(fault).removeprefix('JSON is malformed: ')}")
    except (UnreadableRow, RecursionError) as fault:
        return fault if isinstance(fault, UnreadableRow) else UnreadableRow("is nested too deeply")
    return row if isinstance(row, dict) else UnreadableRow("is no JSON object")


def _csv_rows(text: io.TextIOWrapper) -> Iterator[NumberedRow]:
    csv.field_size_limit(LONGEST_LINE)
    lines = _Lines(text)
    try:
        first = next(lines, "")
        reader = csv.reader(chain([first], lines), delimiter=max(DELIMITERS, key=lambda sign: _known(first, sign)))
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as fault:
        raise UnreadableFile(f"its first line {fault}") from None
    if not any(header):
        raise UnreadableFile("it has no line with the names of its columns")
    while True:
        number = lines.number + 1
        try:
            cells = next(reader, None)
        except csv.Error as fault:
            reason = str(fault)
            yield NumberedRow(number, UnreadableRow(reason if reason == TOO_LONG else f"is no CSV: {reason}"))
            continue
        if cells is None:
            return
        if cells:
            row = _csv_row(header, cells)
            if isinstance(row, UnreadableRow) and lines.number > number:
                row = UnreadableRow(f"{row}; it goes on to line {lines.number}: is a quotation mark never closed?")
            yield NumberedRow(number, row)


def _known(header: str, delimiter: str) -> int:
    """How many columns of feedback a header names, where these are separated so."""
    try:
        return sum(map(is_read, next(csv.reader([header], delimiter=delimiter), [])))
    except csv.Error:
        return 0


def _csv_row(header: list[str], cells: list[str]) -> dict[str, object] | UnreadableRow:
    if len(cells) != len(header):
        return UnreadableRow(f"has {len(cells)} cells where the first line names {len(header)} columns")
    try:
        return dict(zip(header, map(_utf8, cells), strict=True))
    except UnreadableRow as fault:
        return fault


def _utf8(text: str) -> str:
    if not text.isascii() and any("\udc80" <= character <= "\udcff" for character in text):
        raise UnreadableRow("is not UTF-8")
    return text
