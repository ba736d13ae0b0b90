"""Rows of exports are read in every form, one by one; a bad row is told by its number and the next ones are read."""

import gzip
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ajo_worker.feedback.files import LONGEST_LINE, Format, format_of, open_rows
from ajo_worker.feedback.numbered_rows import NumberedRow, UnreadableFile, UnreadableRow
from ajo_worker.feedback.reading import read_row

from tests.support.feedback_items import KEY, NOON, dataset_row, dotted


def rows(path: Path, form: Format) -> list[NumberedRow]:
    with path.open("rb") as raw:
        source = open_rows(raw, form)
        found = list(source.rows)
        assert source.done() == source.total
        return found


def told(found: list[NumberedRow]) -> dict[int, str]:
    """The rows that can't be read, by number."""
    return {row.number: str(row.content) for row in found if isinstance(row.content, UnreadableRow)}


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.csv", "csv"), ("a.CSV", "csv"), ("a.csv.gz", "csv"), ("a.jsonl", "jsonl"), ("a.json.gz", "jsonl"),
        ("a.ndjson", "jsonl"), ("part-0.snappy.parquet", "parquet"), ("a.txt", None), ("a", None), (".gz", None),
    ],
)  # fmt: skip
def test_a_files_name_says_what_it_holds(name: str, form: Format | None) -> None:
    assert format_of(Path(name)) == form


@pytest.mark.parametrize("zipped", [False, True])
def test_json_lines_are_read_with_their_faults(tmp_path: Path, zipped: bool) -> None:
    lines = [
        b'{"a": 1}',
        b"",
        b"{",
        b"7",
        b'{"a": "\xff"}',
        b'{"a": "' + b"x" * 1_500_000 + b'"}',
        b"[" * 90_000,
        b'{"a": 2}',
    ]
    content, path = b"\xef\xbb\xbf" + b"\r\n".join(lines), tmp_path / "a"
    path.write_bytes(gzip.compress(content) if zipped else content)
    found = rows(path, "jsonl")
    assert [(row.number, row.content) for row in found if isinstance(row.content, dict)] == [
        (1, {"a": 1}),
        (8, {"a": 2}),
    ]
    assert told(found) == {
        3: "is no JSON: Input data was truncated",
        4: "is no JSON object",
        5: "is not UTF-8",
        6: "is too long",
        7: "is nested too deeply",
    }


def test_csv_is_read_with_its_faults(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b'\xef\xbb\xbfa,b\r\n1,"x\r\ny"\r\n\r\n1\r\n1,2,3\r\n1,\xff\r\n2,"\xc3\xa4, ""z"""\r\n')
    found = rows(path, "csv")
    assert [(row.number, row.content) for row in found if isinstance(row.content, dict)] == [
        (2, {"a": "1", "b": "x\r\ny"}),
        (8, {"a": "2", "b": 'ä, "z"'}),
    ]
    assert told(found) == {
        5: "has 1 cells where the first line names 2 columns",
        6: "has 3 cells where the first line names 2 columns",
        7: "is not UTF-8",
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_csv_that_a_spreadsheet_has_saved_again_is_read_alike(tmp_path: Path, encoding: str, delimiter: str) -> None:
    path = tmp_path / "a.csv"
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    lines = [["timestamp", "feedbackStatus", "note"], ["2026-11-25", "sent", "ä, b; c"]]
    text = "".join(delimiter.join(f'"{cell}"' for cell in line) + "\r\n" for line in lines)
    path.write_bytes(f"{mark}{text}".encode(encoding))
    (row,) = rows(path, "csv")
    assert row.content == {"timestamp": "2026-11-25", "feedbackStatus": "sent", "note": "ä, b; c"}


def test_a_quotation_mark_that_is_never_closed_is_told_with_all_that_it_takes(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('a,b\n1,2\n"3,4\n' + "5,6\n" * 40)
    assert told(rows(path, "csv")) == {
        3: "has 1 cells where the first line names 2 columns; it goes on to line 43: is a quotation mark never closed?"
    }


@pytest.mark.parametrize("content", [b"", b"\r\n", b",,\r\n"])
def test_a_csv_needs_names_of_columns(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match="no line with the names of its columns"):
        rows(path, "csv")


@pytest.mark.parametrize(
    "content", [gzip.compress(b'{"a": 1}\n' * 9999)[:-9], b"\x1f\x8bx", gzip.compress(b"{}" * 999)[:30] + b"x" * 99]
)
def test_a_damaged_archive_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=r"cut off|damaged"):
        rows(path, "jsonl")


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_line_that_is_too_long_costs_no_other_and_one_without_an_end_the_rest(tmp_path: Path, form: Format) -> None:
    good = ["a,b", "1,2", "3,4"] if form == "csv" else ['{"a": 1}'] * 3
    path = tmp_path / "a"
    path.write_text("\n".join([*good[:2], "x" * 2 * LONGEST_LINE, good[2]]) + "\n")
    found = rows(path, form)
    assert told(found) == {3: "is too long"}
    assert found[-1].number == 4
    os.truncate(path, 10**12)  # sparse: it takes no room on the disk
    with path.open("rb") as raw, pytest.raises(UnreadableFile, match="line 5 has more than"):
        list(open_rows(raw, form).rows)


def test_a_csv_whose_first_line_has_no_end_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.touch()
    os.truncate(path, 10**12)
    with path.open("rb") as raw, pytest.raises(UnreadableFile, match="line 1 has more than"):
        list(open_rows(raw, "csv").rows)


FEEDBACK = read_row(dataset_row(), KEY)


@pytest.mark.parametrize(
    ("at", "kind"),
    [
        (NOON, pa.timestamp("ms", "UTC")),
        (NOON.replace(tzinfo=None), pa.timestamp("us")),
        (NOON, pa.timestamp("ns", "UTC")),
        ("2026-11-25T12:00:00Z", pa.string()),
        (1795608000000, pa.int64()),
    ],
    ids=str,
)
@pytest.mark.parametrize("version", ["2.6", "1.0"])
def test_nested_parquet_is_the_same_feedback(tmp_path: Path, at: Any, kind: Any, version: Any) -> None:
    row, path = dataset_row(at=at), tmp_path / "a.parquet"
    row["other"] = {"big": "x" * 100}
    identity = pa.map_(pa.string(), pa.list_(pa.struct([("id", pa.string()), ("primary", pa.bool_())])))
    table = pa.table({
        "timestamp": pa.array([at], kind),
        "identityMap": pa.array([list(row["identityMap"].items())], identity),
        "_experience": pa.array([row["_experience"]]),
        "other": pa.array([row["other"]]),
    })  # fmt: skip
    pq.write_table(table, path, version=version, use_deprecated_int96_timestamps=kind == pa.timestamp("us"))
    (found,) = rows(path, "parquet")
    assert isinstance(found.content, dict)
    assert "other" not in found.content
    assert read_row(found.content, KEY) == FEEDBACK


def test_flattened_parquet_is_read_in_batches(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.Table.from_pylist([dotted(dataset_row())] * 2500), path)
    found = rows(path, "parquet")
    assert [row.number for row in found] == list(range(1, 2501))
    assert {read_row(row.content, KEY) for row in found} == {FEEDBACK}


def test_a_parquet_file_that_is_none_or_has_nothing_of_feedback_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(json.dumps(dataset_row()).encode())
    with pytest.raises(UnreadableFile, match="is no Parquet file"):
        rows(path, "parquet")
    pq.write_table(pa.table({"a": [datetime(2026, 1, 1, tzinfo=UTC)]}), path)
    with pytest.raises(UnreadableFile, match="none of its columns"):
        rows(path, "parquet")
