"""Writes the report as tables, one file each: for spreadsheets and programs. Times are ISO 8601 in UTC."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct
from msgspec.structs import FieldInfo, fields

from ajo_worker.reports.value import (
    CampaignRow,
    Counts,
    DuplicateRow,
    LateSpan,
    Moment,
    OutageRow,
    PhaseRow,
    Report,
    SystemMoment,
    SystemRow,
    TimelineRow,
    TriggerSpread,
    WorstRow,
)

Row: TypeAlias = Sequence[Any]
NESTED: dict[Any, type[Struct]] = {Counts: Counts, TriggerSpread: TriggerSpread, TriggerSpread | None: TriggerSpread}
WITHOUT_NAME = {"counts", "spread"}
"""Structures whose columns have no name before them."""
TABLES: dict[str, type[Struct]] = {
    "late_spans": LateSpan,
    "campaigns": CampaignRow,
    "times": Moment,
    "systems": SystemRow,
    "system_times": SystemMoment,
    "phases": PhaseRow,
    "outages": OutageRow,
    "duplicates": DuplicateRow,
    "worst": WorstRow,
}
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def tables(report: Report) -> dict[str, list[Row]]:
    """Every table by name, its first row the columns. Pure."""
    found = {"report": _table(Report, [report])}
    found |= {name: _table(kind, getattr(report, name)) for name, kind in TABLES.items()}
    found["worst_phases"] = [["request_id", "phase", "seconds"]] + [
        [_cell(one.request_id), phase, _cell(seconds)] for one in report.worst for phase, seconds in one.phases.items()
    ]
    found["timelines"] = [["request_id", *_columns(TimelineRow)]] + [
        [_cell(one.request_id), *_cells(event)] for one in report.worst for event in one.timeline
    ]
    return found


def write_tables(report: Report, folder: Path) -> list[Path]:
    """Write each table into ``folder``, which is made if need be; returns the files.

    Raises:
        OSError: a file can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, rows in tables(report).items():
        file = folder / f"{name}.csv"
        with file.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows(rows)
        written.append(file)
    return written


def _table(kind: type[Struct], rows: Iterable[Struct]) -> list[Row]:
    return [_columns(kind), *(_cells(row) for row in rows)]


def _flat(kind: type[Struct]) -> Iterator[FieldInfo]:
    """The fields that have one value, or a structure of values; what is a table of its own is left out."""
    for field in fields(kind):
        if field.name not in {*TABLES, "timeline"}:
            yield field


def _columns(kind: type[Struct]) -> list[str]:
    columns = []
    for field in _flat(kind):
        inner = NESTED.get(field.type)
        before = "" if field.name in WITHOUT_NAME else f"{field.name}_"
        columns += [f"{before}{name}" for name in _columns(inner)] if inner else [field.name]
    return columns


def _cells(row: Struct) -> list[Any]:
    cells: list[Any] = []
    for field in _flat(type(row)):
        inner, value = NESTED.get(field.type), getattr(row, field.name)
        if inner is None:
            cells.append(_cell(value))
        else:
            cells += [None] * len(fields(inner)) if value is None else _cells(value)
    return cells


def _cell(value: Any) -> Any:  # noqa: ANN401 - whatever a field holds
    """A value as text or number; a text that a spreadsheet would take for a formula is quoted."""
    match value:
        case datetime():
            return value.isoformat()
        case list():
            return _cell(" ".join(map(str, value)))
        case str() if value.startswith(FORMULA):
            return f"'{value}"
        case None | int() | float():
            return value
    return str(value)
