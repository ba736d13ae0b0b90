"""What the docs say stands in a file stands in a file that is there: whoever moves one is told where it was named."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
PATH = re.compile(r"`([\w./-]+\.(?:py|sql))`")
CODE = ("producers", "worker", "simulator", "migrations", "tests", "benchmarks", "examples", "campaigns")
FILES = {f"/{path.relative_to(ROOT)}" for name in CODE for path in (ROOT / name).rglob("*.*")}
FILES |= {f"/{path.name}" for path in ROOT.iterdir()}


@pytest.mark.parametrize("doc", DOCS, ids=lambda doc: doc.name)
def test_every_file_that_is_named_is_there(doc: Path) -> None:
    named = set(PATH.findall(doc.read_text(encoding="utf-8")))
    assert [name for name in sorted(named) if not any(file.endswith(f"/{name}") for file in FILES)] == []
