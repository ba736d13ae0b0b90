"""The report's page in a real browser that has no network: it is whole, quiet, readable on any screen, and prints."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ajo_worker.reports.html import render

from tests.support import chromium
from tests.support.report_example import example
from tests.support.waiting import DEADLINE_SECONDS

HIDDEN_OVERFLOW = """[...document.querySelectorAll('body *')]
    .filter(e => !e.closest('.scroll > *') && e.getBoundingClientRect().right > innerWidth + 0.5)
    .map(e => e.tagName + '.' + e.className)"""
WIDER_THAN_ITS_COLUMN = """[...document.querySelectorAll('.scroll')]
    .filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.getAttribute('aria-label'))"""
TIMELINE_IS_SEEN = "document.querySelector('details.trigger table').checkVisibility()"
FAINT = """(() => {
    const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
    const rgba = colour => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
                             return canvas.getImageData(0, 0, 1, 1).data; };
    const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
        .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = e => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor);
                                                           if (c[3] === 255) return c; } return [255, 255, 255]; };
    const found = [];
    for (const e of document.querySelectorAll('body *')) {
        if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
        const style = getComputedStyle(e), colour = rgba(e instanceof SVGElement ? style.fill : style.color);
        const [low, high] = [light(colour), light(ground(e))].sort((a, b) => a - b);
        const contrast = (high + 0.05) / (low + 0.05);
        if (contrast < 4.5) found.push([e.tagName, e.textContent.slice(0, 30), contrast]);
    }
    return found; })()"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chromium.Page]:
    if chromium.program() is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    with chromium.chromium(tmp_path_factory.mktemp("chromium")) as page:
        yield page


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_text(render(example(campaign="a-campaign-with-a-name-as-long-as-names-may-be" * 3)), encoding="utf-8")
    return file


def test_it_asks_for_nothing_and_complains_of_nothing(browser: chromium.Page, page: Path) -> None:
    browser.open(page)
    browser.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert browser.requests == [page.as_uri()]
    assert browser.complaints == []


def test_the_browser_would_tell_of_a_request(browser: chromium.Page, tmp_path: Path) -> None:
    """Without this, the test above could pass because nothing is ever told."""
    asking = tmp_path / "asking.html"
    asking.write_text("<!doctype html><img src='https://example.com/x.png'><script>console.log(1)</script>")
    browser.open(asking)
    assert "https://example.com/x.png" in browser.requests
    assert browser.complaints


def test_the_answer_is_on_the_first_screen(browser: chromium.Page, page: Path) -> None:
    for width, height in ((1200, 800), (360, 640)):
        browser.open(page, width=width, height=height)
        bottom = browser.evaluate("document.querySelector('.answer').getBoundingClientRect().bottom")
        assert 0 < bottom < height


@pytest.mark.parametrize("width", [320, 360, 768, 1200])
def test_nothing_but_tables_is_wider_than_the_screen(browser: chromium.Page, page: Path, width: int) -> None:
    browser.open(page, width=width)
    browser.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    assert browser.evaluate(HIDDEN_OVERFLOW) == []


@pytest.mark.parametrize("width", [1440, 960])
def test_tables_fit_their_column_on_a_desk(browser: chromium.Page, tmp_path: Path, width: int) -> None:
    file = tmp_path / "report.html"
    file.write_text(render(example()), encoding="utf-8")
    browser.open(file, width=width)
    browser.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert browser.evaluate(WIDER_THAN_ITS_COLUMN) == []


@pytest.mark.parametrize(("width", "shown"), [(360, "narrow"), (1200, "wide")])
def test_each_plot_is_shown_once_in_the_size_that_fits(
    browser: chromium.Page, page: Path, width: int, shown: str
) -> None:
    browser.open(page, width=width)
    visible = "[...document.querySelectorAll('figure > svg')].filter(e => e.getBoundingClientRect().width)"
    assert browser.evaluate(f"{visible}.map(e => e.classList[0])") == [shown] * 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_texts_stand_out_from_what_is_behind_them(browser: chromium.Page, page: Path, scheme: str) -> None:
    browser.open(page, scheme=scheme)
    browser.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    dark = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (dark == "rgb(22, 24, 29)") == (scheme == "dark")
    assert browser.evaluate(FAINT) == []


def test_a_slow_trigger_opens_without_any_script(browser: chromium.Page, page: Path) -> None:
    browser.open(page)
    assert not browser.evaluate(TIMELINE_IS_SEEN)
    browser.evaluate("document.querySelector('details.trigger summary').click()")
    assert browser.evaluate(TIMELINE_IS_SEEN)


def test_it_prints_with_the_timelines_open(browser: chromium.Page, page: Path, tmp_path: Path) -> None:
    browser.open(page, scheme="dark")
    browser.print(tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    browser.ask("Emulation.setEmulatedMedia", media="print")
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.evaluate(TIMELINE_IS_SEEN)
    assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
    browser.ask("Emulation.setEmulatedMedia", media="")


def test_a_plain_call_of_the_browser_takes_a_picture_of_it(page: Path, tmp_path: Path) -> None:
    """As a person would try it, without any protocol."""
    found = chromium.program()
    if found is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    picture = tmp_path / "report.png"
    command = [
        found,
        "--headless",
        "--no-sandbox",
        f"--user-data-dir={tmp_path / 'profile'}",
        f"--screenshot={picture}",
    ]
    subprocess.run([*command, page.as_uri()], check=True, capture_output=True, timeout=DEADLINE_SECONDS)
    assert picture.read_bytes().startswith(b"\x89PNG")
