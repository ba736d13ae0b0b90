"""A page of docs/, in which the bench keeps its parts between markers."""

import re
from pathlib import Path

from benchmarks.bench.building import ROOT

PERFORMANCE = ROOT / "docs/performance.md"
SCALING = ROOT / "docs/scaling.md"


class NoMarkers(Exception):  # noqa: N818 - says what it is
    """A page has no place for a part."""


def replaced(page: str, part: str, text: str) -> str:
    """The page with another text between the markers of a part. Pure.

    Raises:
        NoMarkers: the page has none.
    """
    begin, end = f"<!-- make bench, {part}: begin -->", f"<!-- make bench, {part}: end -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(page):
        raise NoMarkers(f"the page has no place for {part!r}: put “{begin}” and “{end}” there")
    return pattern.sub(lambda _: f"{begin}\n\n{text.strip()}\n\n{end}", page)


def write(file: Path, part: str, text: str) -> None:
    """Put a part into a page.

    Raises:
        NoMarkers: the page has no place for it.
    """
    file.write_text(replaced(file.read_text(encoding="utf-8"), part, text), encoding="utf-8")
    print(f"written into {file.relative_to(ROOT)}: {part}")
