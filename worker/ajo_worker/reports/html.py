"""Writes the report as one page that needs nothing else: no script, no picture, no font from elsewhere."""

from functools import cache, partial

from ajo_producers.contract.counted import counted
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ajo_worker import words
from ajo_worker.days import read_zone
from ajo_worker.reports.lateness import guilty, headline, unknowns
from ajo_worker.reports.plots.drawing import draw_counts, draw_lateness, draw_systems
from ajo_worker.reports.plots.palette import HATCHES, variables
from ajo_worker.reports.value import CLOCKS, Report, SystemRow, WorstRow
from ajo_worker.states import DEAD

LONGEST = 4
"""So many phases of a slow trigger are named."""


def render(report: Report) -> str:
    """The page. Pure: the same report is the same page, to the byte."""
    charged = guilty(report.systems)
    return _environment(report.time_zone).get_template("page.html.j2").render(
        report=report,
        counts=report.counts,
        answer=headline(report),
        guilty=charged,
        guilty_seconds=sum(row.seconds for row in charged),
        not_guilty=_others(report, charged),
        plots=_plots(report, charged),
        legends=[(row.system, words.system_name(row.system)) for row in charged],
        shares=_shares(report),
        idle=[row.phase for row in report.phases if row.system and not (row.spread and row.seconds)],
        unknowns=unknowns(report),
        dead=sum(getattr(report.counts, state) for state in DEAD),
        variables={"light": Markup(variables(dark=False)), "dark": Markup(variables(dark=True))},  # noqa: S704 - ours
    )  # fmt: skip


@cache
def _environment(time_zone: str) -> Environment:
    environment = Environment(
        loader=PackageLoader("ajo_worker.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "duration": words.duration,
        "share": words.share,
        "instant": partial(words.instant, zone=read_zone(time_zone)),
        "system": words.system_name,
        "longest_phases": _longest_phases,
    }
    environment.globals |= {"hatches": HATCHES, "counted": counted}
    return environment


def _others(report: Report, charged: list[SystemRow]) -> list[SystemRow]:
    return [row for row in report.systems if row not in charged]


def _shares(report: Report) -> dict[str, float]:
    """Of all time that a system is charged with, the share of each phase; negative ones are no time."""
    spent = {row.phase: max(row.seconds, 0) for row in report.phases if row.system not in {None, CLOCKS}}
    every = sum(spent.values())
    return {phase: seconds / every for phase, seconds in spent.items()} if every else {}


def _longest_phases(one: WorstRow) -> list[tuple[str, float]]:
    known = [(phase, seconds) for phase, seconds in one.phases.items() if seconds is not None and seconds > 0]
    return sorted(known, key=lambda item: -item[1])[:LONGEST]


def _plots(report: Report, charged: list[SystemRow]) -> dict[str, Markup | None]:
    """The plots by name; None where there is nothing to draw."""
    outages = f"; {counted(len(report.outages), 'outage')} as grey bands" if report.outages else ""
    systems = ", ".join(words.system_name(row.system) for row in charged)
    drawn = {
        "counts": report.times and draw_counts(report, f"Triggers over time: late, not yet known, on time{outages}."),
        "lateness": report.times
        and draw_lateness(report, f"Time from the event to the delivery: percentiles over time{outages}."),
        "systems": charged and draw_systems(report, f"Delay over time by who is charged with it: {systems}{outages}."),
    }
    return {name: Markup(svg) if svg else None for name, svg in drawn.items()}  # noqa: S704 - escaped when it was drawn
