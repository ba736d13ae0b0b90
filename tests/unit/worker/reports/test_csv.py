"""The report as tables."""

import csv
from pathlib import Path

from ajo_worker.reports.csv import tables, write_tables
from msgspec.structs import replace

from tests.support.report_example import example


def test_every_row_has_a_value_for_every_column() -> None:
    for name, rows in tables(example()).items():
        assert len({len(row) for row in rows}) == 1, name
        assert len(set(rows[0])) == len(rows[0]), name


def test_every_list_of_the_report_is_a_table_with_all_of_its_rows() -> None:
    report = example()
    found = tables(report)
    for name in ("late_spans", "campaigns", "times", "systems", "system_times", "phases", "outages", "duplicates"):
        assert len(found[name]) == 1 + len(getattr(report, name)), name
    assert len(found["timelines"]) == 1 + sum(len(one.timeline) for one in report.worst)


def test_a_table_without_rows_has_its_columns() -> None:
    assert tables(replace(example(), outages=[]))["outages"][0][:3] == ["outage_id", "scope", "reason"]


def test_a_name_that_a_spreadsheet_would_compute_is_quoted(tmp_path: Path) -> None:
    files = write_tables(example(campaign='=HYPERLINK("https://example.com")'), tmp_path / "new")
    assert {file.name for file in files} >= {"report.csv", "campaigns.csv", "worst.csv"}
    with (tmp_path / "new/campaigns.csv").open(newline="", encoding="utf-8") as file:
        assert [row["campaign"][0] for row in csv.DictReader(file)] == ["'", "p"]
