"""The plots of the report: how many, how late, whose fault; each in both sizes."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from ajo_worker.reports.lateness import guilty
from ajo_worker.reports.plots.frame import SIZES, each_step, framed, mark_outages, place
from ajo_worker.reports.plots.palette import HATCHES, light
from ajo_worker.reports.plots.svg import inline_svg
from ajo_worker.reports.value import Report
from ajo_worker.words import DAY, duration

NAN = float("nan")
DECADES = [0.001, 0.01, 0.1, 1, 10, 60, 600, 3_600, 36_000, 86_400, 864_000]
"""Marks of seconds on a logarithmic axis."""
ROUND = [
    unit * many for unit, each in ((1, (1, 2, 5, 10, 15, 30)), (60, (1, 2, 5, 10, 15, 30)), (3600, (1, 2, 4, 6, 12)))
    for many in each
]  # fmt: skip
"""Seconds that a step of a linear axis may have; above, whole days."""
MARKS = 5
LINES = (("longest", (0, (1, 3)), 1.6), ("p99", "solid", 2.2), ("p95", (0, (7, 3)), 1.8), ("p50", (0, (2, 2)), 1.8))
"""Percentiles from the highest line to the lowest, with their dashes and widths."""
SHORTEST_DASH = 0.02
"""How much of the width of a plot a step without a neighbour has at least."""
SHORTEST = 0.001
"""Where the axis of seconds ends: below is 0 on a logarithmic axis."""


def draw_counts(report: Report, title: str) -> str:
    """Triggers by time of arrival: late, not yet known, on time."""
    counts = {moment.at: moment.counts for moment in report.times}
    late = {at: one.late for at, one in counts.items()}
    unknown = {at: one.not_yet_known for at, one in counts.items()}
    timely = {at: one.triggers - one.late - one.not_yet_known for at, one in counts.items()}

    def draw(axes: Axes) -> None:
        parts = [
            Layer("late", "", late),
            Layer("not-yet-known", HATCHES["not-yet-known"], unknown),
            Layer("plain", "", timely),
        ]
        _stack(axes, report, [part for part in parts if any(part.heights.values())])
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))

    return _both(report, "counts", "triggers", title, draw)


def draw_lateness(report: Report, title: str) -> str:
    """From the event to the delivery: percentiles over time, on a logarithmic axis."""
    known = {moment.at: moment.end_to_end for moment in report.times if moment.end_to_end is not None}

    def draw(axes: Axes) -> None:
        steps = list(each_step(report))
        half = report.step_seconds / DAY / 2
        at = [place(step) + half for step in steps]
        alone = [at[index] for index in _alone([step in known for step in steps])]
        for field, dashes, width in LINES:
            seconds = [max(getattr(known[step], field), SHORTEST) if step in known else NAN for step in steps]
            colour = light("accent" if field != "longest" else "quiet")
            axes.plot(at, seconds, color=colour, linestyle=dashes, linewidth=width)
            # A line needs two points: a step without a neighbour is a dash as wide as the step, and never a dot.
            heights = [seconds[at.index(middle)] for middle in alone]
            reach = max(half, SHORTEST_DASH * (place(report.until) - place(report.since)) / 2)
            axes.hlines(
                heights, [x - reach for x in alone], [x + reach for x in alone], color=colour, linewidth=width + 1
            )
        axes.set_yscale("log")
        shown = [max(getattr(one, field), SHORTEST) for one in known.values() for field, _, _ in LINES]
        if shown:  # from mark to mark, so that there are two at least
            axes.set_ylim(
                max((mark for mark in DECADES if mark < min(shown)), default=SHORTEST),
                min((mark for mark in DECADES if mark > max(shown)), default=max(shown) * 2),
            )
        axes.yaxis.set_major_locator(FixedLocator(DECADES))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: duration(value)))

    return _both(report, "lateness", "from event to delivery", title, draw)


def _alone(known: Sequence[bool]) -> list[int]:
    """Which steps are known and have no neighbour that is. Pure."""
    around = [False, *known, False]
    return [index for index, here in enumerate(known) if here and not around[index] and not around[index + 2]]


def draw_systems(report: Report, title: str) -> str:
    """Delay by guilty system and time of arrival."""
    seconds: dict[str, dict[datetime, float]] = defaultdict(dict)
    for row in report.system_times:
        seconds[row.system][row.at] = row.seconds
    systems = [row.system for row in guilty(report.systems)]
    parts = [Layer(system, HATCHES.get(system, ""), seconds[system]) for system in systems]

    def draw(axes: Axes) -> None:
        _stack(axes, report, parts)
        axes.yaxis.set_major_locator(FixedLocator(marks(axes.get_ylim()[1])))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: duration(value)))

    return _both(report, "systems", "delay of all triggers together", title, draw)


def marks(highest: float) -> list[float]:
    """Round durations from 0 to the highest, a handful. Pure."""
    days = DAY * max(1, ceil(highest / DAY / MARKS))
    step = highest / MARKS if highest < 1 else next((step for step in ROUND if highest <= step * MARKS), days)
    return [number * step for number in range(MARKS + 1) if number * step <= highest]


@dataclass(frozen=True, slots=True)
class Layer:
    """What is stacked: its colour and hatching, and how high it is at which step."""

    colour: str
    hatch: str
    heights: Mapping[datetime, float]


def _stack(axes: Axes, report: Report, parts: Sequence[Layer]) -> None:
    """One part on the other; the first stands on the axis."""
    steps = list(each_step(report))
    edges = [*map(place, steps), place(steps[-1]) + report.step_seconds / DAY]
    ground = [0.0] * len(edges)
    for part in parts:
        heights = [part.heights.get(at, 0.0) for at in steps]
        top = [below + height for below, height in zip(ground, [*heights, heights[-1]], strict=True)]
        shown = [height > 0 for height in heights]
        axes.fill_between(
            edges,
            ground,
            top,
            where=[here or before for here, before in zip([*shown, False], [False, *shown], strict=True)],
            step="post",
            facecolor=light(part.colour),
            edgecolor=light("ground"),
            hatch=part.hatch,
            linewidth=0,
        )
        ground = top
    axes.set_ylim(0, max(ground) * 1.05 or 1)


def _both(report: Report, plot: str, unit: str, title: str, draw: Callable[[Axes], None]) -> str:
    drawn = []
    for size in SIZES:
        with framed(report, size, unit) as (figure, axes):
            draw(axes)
            mark_outages(axes, report)
            drawn.append(inline_svg(figure, f"{plot}-{size.name}", title))
    return "\n".join(drawn)
