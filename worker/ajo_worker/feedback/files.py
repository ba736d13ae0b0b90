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
from typing import BinaryIO, Literal, TypeAlias

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
"""Characters of a JSON line, or of a cell: what is longer is no feedback, and must not fill the memory."""


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
    zipped = raw.read(2) == b"\x1f\x8b"
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
        raise UnreadableFile(f"it is damaged: {type(fault).__name__}") from None


def _json_rows(text: io.TextIOWrapper) -> Iterator[NumberedRow]:
    number = 0
    while line := text.readline(LONGEST_LINE):
        number += 1
        too_long = len(line) == LONGEST_LINE and not line.endswith("\n")
        while too_long and (rest := text.readline(LONGEST_LINE)) and not rest.endswith("\n"):
            pass
        if line.strip():
            yield NumberedRow(number, UnreadableRow("is too long") if too_long else _json_row(line))


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
    first = text.readline(LONGEST_LINE)
    reader = csv.reader(chain([first], text), delimiter=max(DELIMITERS, key=lambda sign: _known(first, sign)))
    header = [name.strip() for name in next(reader, [])]
    if not any(header):
        raise UnreadableFile("it has no line with the names of its columns")
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as fault:
            yield NumberedRow(number, UnreadableRow(f"is no CSV: {fault}"))
            continue
        if cells is None:
            return
        if cells:
            row = _csv_row(header, cells)
            if isinstance(row, UnreadableRow) and reader.line_num > number:
                row = UnreadableRow(f"{row}; it goes on to line {reader.line_num}: is a quotation mark never closed?")
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
