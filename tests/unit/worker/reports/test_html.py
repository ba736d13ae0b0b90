"""The page as a text: it needs nothing else, and nothing in it is taken for markup."""

import re
from collections import Counter
from html.parser import HTMLParser

import pytest
from ajo_worker.reports.html import render
from ajo_worker.reports.value import Counts
from msgspec.structs import replace

from tests.support.report_example import example

NASTY = "<script>alert(1)</script>&\"'x"


class Reader(HTMLParser):
    """What is in a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.ids: Counter[str] = Counter()
        self.references: set[str] = set()
        self.headings: list[int] = []
        self.tables_without: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        for key, value in attrs:
            if key == "id" and value:
                self.ids[value] += 1
            if key in {"href", "src", "xlink:href", "action", "data", "srcset"} and value:
                self.references.add(value)
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))


@pytest.fixture(scope="module")
def page() -> str:
    return render(example())


@pytest.fixture(scope="module")
def read(page: str) -> Reader:
    return Reader(page)


def test_it_refers_to_nothing_outside_itself(page: str, read: Reader) -> None:
    assert all(reference.startswith("#") for reference in read.references)
    assert not {"script", "link", "img", "iframe", "object", "base", "form"} & set(read.tags)
    assert set(re.findall(r"https?://[^\s\"'<]+", page)) <= {"http://www.w3.org/2000/svg"}
    assert not re.search(r"@import|url\((?!#)", page)


def test_every_reference_leads_to_one_place(read: Reader) -> None:
    assert [name for name, times in read.ids.items() if times > 1] == []
    assert {reference[1:] for reference in read.references} <= set(read.ids)


def test_every_clip_and_hatch_of_a_plot_is_there(page: str, read: Reader) -> None:
    assert set(re.findall(r"url\(#([\w-]+)\)", page)) <= set(read.ids)


def test_headings_are_in_order(read: Reader) -> None:
    assert read.headings[0] == 1
    assert all(after <= before + 1 for before, after in zip(read.headings, read.headings[1:], strict=False))


def test_every_plot_says_what_it_shows_and_has_a_table_of_its_numbers(page: str) -> None:
    plots = re.findall(r"<svg [^>]*role=\"img\"[^>]*>", page)
    assert len(plots) == 6
    assert all(re.search(r'aria-label="[^"]{30,}"', plot) for plot in plots)
    assert page.count('<details class="numbers">') == 2


def test_texts_from_outside_are_no_markup() -> None:
    assert "alert(1)" in render(example(campaign=NASTY))
    assert "<script" not in render(example(campaign=NASTY))


def test_all_colours_of_plots_are_the_pages_own(page: str) -> None:
    drawn = "".join(re.findall(r"<svg .*?</svg>", page, re.DOTALL))
    assert re.findall(r"#[0-9a-f]{6}\b", drawn) == []


def test_the_same_report_is_the_same_page(page: str) -> None:
    assert render(example()) == page


def test_a_report_of_nothing_is_a_page_too() -> None:
    nothing = replace(
        example(), counts=Counts(), late_spans=[], campaigns=[], times=[], systems=[], system_times=[], phases=[],
        outages=[], worst=[], duplicates=[], computed_until=None, failed_minutes=0,
    )  # fmt: skip
    page = render(nothing)
    assert "No trigger was received." in page
    assert "No minute of this while was rolled up" in page


def test_it_says_if_the_roll_ups_are_behind() -> None:
    report = example()
    assert "Rolled up until" not in render(report)
    assert "Rolled up until 2026-11-25 08:00:00" in render(
        replace(report, computed_until=report.until.replace(hour=8, minute=0))
    )
