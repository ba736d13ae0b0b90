"""The files of SQL keep their form: what is read in a page, and run again after each migration."""

import re
from pathlib import Path

import pytest

SQL = Path(__file__).parents[2] / "migrations/sql"
FOLDERS = ("0001_ledger", "views")
FILES = sorted(SQL.glob("*/*.sql"))
REMADE = re.compile(r"^CREATE (?!OR REPLACE )(\w+).*", re.MULTILINE)
COMMENT = re.compile(r"^COMMENT ON COLUMN (\S+)\.(\w+) IS\s+(.*?);$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_number_is_one_files(folder: str) -> None:
    numbers = [file.name[:2] for file in (SQL / folder).glob("[0-9]*.sql")]
    assert len(numbers) == len(set(numbers)) > 10


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_no_line_is_above_120_columns(file: Path) -> None:
    assert [line for line in file.read_text(encoding="utf-8").splitlines() if len(line) > 120] == []


@pytest.mark.parametrize("file", sorted((SQL / "views").glob("*.sql")), ids=lambda file: file.name)
def test_what_is_made_of_tables_can_be_made_again(file: Path) -> None:
    assert REMADE.findall(file.read_text(encoding="utf-8")) == []


def test_a_view_says_of_a_column_only_what_its_table_does_not() -> None:
    comments = {
        (relation, column): re.sub(r"'\s*\n\s*'", "", text)
        for file in FILES
        for relation, column, text in COMMENT.findall(file.read_text(encoding="utf-8"))
    }
    repeated = [
        f"{relation}.{column}"
        for (relation, column), text in comments.items()
        if relation.startswith("audit.") and comments.get((relation.replace("audit.", "ledger."), column)) == text
    ]
    assert repeated == []
