"""docs/reports.md names every field of the report, and every table that it writes."""

import re
from pathlib import Path

import pytest
from ajo_worker.reports import csv, value
from msgspec import Struct

from tests.support.report_example import example

TEXT = (
    (Path(__file__).parents[2] / "docs/reports.md").read_text(encoding="utf-8").partition("## The report of a while")[2]
)
NAMED = set(re.findall(r"`([\w.]+)`", TEXT))
STRUCTURES = [kind for kind in vars(value).values() if isinstance(kind, type) and issubclass(kind, Struct)]


@pytest.mark.parametrize("structure", [kind for kind in STRUCTURES if kind is not Struct])
def test_every_field_is_documented(structure: type[Struct]) -> None:
    assert set(structure.__struct_fields__) <= NAMED


def test_every_table_is_documented() -> None:
    assert {f"{name}.csv" for name in csv.tables(example())} <= NAMED
