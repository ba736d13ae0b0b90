"""Each row of each table in README and docs has as many cells as the table's head."""

import re
from pathlib import Path

import pytest

from tests.support.documents import FILES

CELL_END = re.compile(r"(?<!\\)\|")


def broken_rows(text: str) -> list[str]:
    """The rows that have more or fewer cells than the first row of their table, and heads without a line below."""
    broken: list[str] = []
    cells, fenced = 0, False
    lines = text.splitlines()
    for number, line in enumerate(lines):
        fenced ^= line.lstrip().startswith("```")
        if fenced or not line.startswith("|"):
            cells = 0
            continue
        found = len(CELL_END.findall(line.rstrip())) - 1
        if not cells:
            cells = found
            if number + 1 == len(lines) or not re.fullmatch(r"[|: -]+", lines[number + 1]):
                broken.append(f"{number + 1}: no line below the head: {line}")
        elif found != cells:
            broken.append(f"{number + 1}: {found} cells and not {cells}: {line}")
    return broken


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_tables_are_whole(file: Path) -> None:
    assert broken_rows(file.read_text(encoding="utf-8")) == []


def test_a_broken_table_is_found() -> None:
    head = "| a | b |\n|---|---|\n"
    assert broken_rows(head + "| `x\\|y` | 2 |\n") == []
    assert broken_rows(head + "| `x|y` | 2 |\n") != []
    assert broken_rows(head + "\n| 1 | 2 |\n") != []
