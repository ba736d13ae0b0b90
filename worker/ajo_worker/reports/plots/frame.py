"""The frame that all plots over time share: sizes, axes, grid, outages as bands. Legends stand in the page."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from ajo_worker.reports.plots.palette import light
from ajo_worker.reports.value import Report
from ajo_worker.words import DAY


@dataclass(frozen=True, slots=True)
class Size:
    """How wide and high a plot is, in CSS pixels, and how many marks of time have room."""

    name: str
    width: int
    height: int
    marks: int


SIZES = (Size("wide", 960, 280, 10), Size("narrow", 340, 260, 6))
"""A plot is drawn for each; the page shows the one that fits."""
PIXELS_PER_INCH = 72
ROUND = datetime(2000, 1, 1, tzinfo=UTC)
"""What all steps are counted from, as in ajo_worker.reports.questions."""
FORMATS = ["%Y", "%b", "%d %b", "%H:%M", "%H:%M", "%H:%M:%S"]
ROUND_FORMATS = ["", "%Y", "%b", "%d %b", "%H:%M", "%H:%M"]
"""Marks of time by their unit, from years to seconds; the second list is for the first of the next larger unit."""
STYLE: Any = {  # matplotlib's own type of it is a literal of 300 names
    "svg.fonttype": "none",  # texts stay texts: selectable, and in the page's font
    "svg.hashsalt": "ajo-dispatch",  # the same report is the same page
    "path.simplify": False,
    "font.size": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.edgecolor": light("quiet"),
    "axes.labelcolor": light("quiet"),
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "grid.color": light("line"),
    "grid.linewidth": 1,
    "xtick.color": light("quiet"),
    "ytick.color": light("quiet"),
    "ytick.major.size": 0,
    "text.color": light("text"),
    "hatch.linewidth": 1.2,
}


@contextmanager
def framed(report: Report, size: Size, unit: str) -> Iterator[tuple[Figure, Axes]]:
    """An empty plot over the time of the report; ``unit`` says what its vertical axis shows."""
    with mpl.rc_context(STYLE):
        figure = Figure(
            figsize=(size.width / PIXELS_PER_INCH, size.height / PIXELS_PER_INCH), dpi=PIXELS_PER_INCH,
            layout="constrained",
        )  # fmt: skip
        axes = figure.subplots()
        locator = AutoDateLocator(tz=report.zone, minticks=3, maxticks=size.marks)  # type: ignore[no-untyped-call] # its module has no types
        axes.xaxis.set_major_locator(locator)
        marks = ConciseDateFormatter(locator, report.zone, FORMATS, zero_formats=ROUND_FORMATS, show_offset=False)  # type: ignore[no-untyped-call] # as above
        axes.xaxis.set_major_formatter(marks)
        axes.set_xlim(place(report.since), place(report.until))
        axes.set_title(unit, loc="left", fontsize=12, color=light("quiet"))
        yield figure, axes


def mark_outages(axes: Axes, report: Report) -> None:
    """Draw each outage as a grey band with a dashed edge where it began."""
    for outage in report.outages:
        begin, end = max(outage.opened_at, report.since), min(outage.ended_at or report.until, report.until)
        axes.axvspan(place(begin), place(end), color=light("band"), alpha=0.25, linewidth=0, zorder=0)
        axes.axvline(place(begin), color=light("band"), linewidth=1, linestyle=(0, (3, 2)), zorder=0.5)


def each_step(report: Report) -> Iterator[datetime]:
    """The begin of every step of the while, also of those without a trigger; the first may begin before it."""
    step = timedelta(seconds=report.step_seconds)
    at = report.since - (report.since - ROUND) % step
    while at < report.until:
        yield at
        at += step


def place(at: datetime) -> float:
    """Where a moment is on the axis of time: matplotlib counts days since 1970."""
    return at.timestamp() / DAY
