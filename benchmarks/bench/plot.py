"""Rates and what a trigger costs, as a drawing beside the table."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.bench.report import GROUPS, Row

COLOURS = {"worker": "#3b6ea5", "postgres": "#7a9e5f", "broker": "#d08a3c"}
NAMES = {"worker": "worker", "postgres": "PostgreSQL", "broker": "broker"}


def draw(rows: Sequence[Row], title: str, file: Path) -> None:
    """An SVG: on the left rates, the whiskers being the slowest and the fastest run; on the right CPU by process."""
    mpl.rcParams["svg.hashsalt"] = title  # the same figures make the same file
    mpl.rcParams["svg.fonttype"] = "none"
    shown = [row for row in reversed(rows) if row.rate]
    names, places = [row.name for row in shown], range(len(shown))
    figure = Figure(figsize=(11, 0.6 + 0.34 * len(shown)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    rates = [row.rate for row in shown]
    spread = [[row.rate - row.slowest for row in shown], [row.fastest - row.rate for row in shown]]
    colours = ["#3b6ea5" if name.startswith("ours") else "#a9b4c0" for name in names]
    left.barh(places, rates, color=colours, xerr=spread, error_kw={"ecolor": "#444444", "elinewidth": 1, "capsize": 2})
    left.set_yticks(places, names)
    left.set_title(f"triggers a second, {title}", fontsize=10)
    begins = [0.0] * len(shown)
    for group in GROUPS:
        widths = [row.cpu.get(group, 0) if group == "worker" or row.wal > 1 else 0 for row in shown]
        right.barh(places, widths, left=begins, color=COLOURS[group], label=NAMES[group])
        begins = [begin + width for begin, width in zip(begins, widths, strict=True)]
    right.set_title("milliseconds of CPU a trigger", fontsize=10)
    right.legend(fontsize=8, frameon=False)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
    figure.savefig(file, format="svg", metadata={"Date": None})
