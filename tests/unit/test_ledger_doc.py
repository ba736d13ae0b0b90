"""Every table of the ledger is told of in docs/ledger.md, and every view for people in docs/audit.md."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SQL = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "migrations/sql").rglob("*.sql"))
LEDGER = (ROOT / "docs/ledger.md").read_text(encoding="utf-8")
AUDIT = (ROOT / "docs/audit.md").read_text(encoding="utf-8")


def made(pattern: str) -> set[str]:
    """What the migrations make, by its name."""
    return set(re.findall(rf"^CREATE (?:OR REPLACE )?{pattern}([a-z_]+)", SQL, re.MULTILINE))


def test_every_table_of_the_ledger_is_in_the_table_of_tables() -> None:
    tables = {name for name in made(r"TABLE ledger\.") if not name.endswith("_default")}
    rows = re.findall(r"^\| (`ledger\..*?) \|", LEDGER, re.MULTILINE)
    assert tables - set(re.findall(r"ledger\.([a-z_]+)", " ".join(rows))) == set()


def test_every_view_for_people_is_in_the_table_of_views() -> None:
    rows = re.findall(r"^\| (`audit\..*?) \|", AUDIT, re.MULTILINE)
    assert made(r"VIEW audit\.") - set(re.findall(r"audit\.([a-z_]+)", " ".join(rows))) == set()
