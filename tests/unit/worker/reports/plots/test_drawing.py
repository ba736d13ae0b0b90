"""Marks and steps of plots."""

from datetime import UTC, datetime, timedelta

from ajo_worker.reports.plots.drawing import LINES, MARKS, draw_lateness, marks
from ajo_worker.reports.plots.frame import each_step
from ajo_worker.reports.reading import POINTS, STEPS, step_of
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.report_example import example


@given(st.floats(1e-6, 1e9))
def test_marks_are_a_handful_from_nothing_to_the_highest(highest: float) -> None:
    found = marks(highest)
    assert found[0] == 0
    assert 1 < len(found) <= MARKS + 1
    assert found[-1] <= highest * 1.000001


def test_marks_are_round() -> None:
    assert marks(250) == [0, 60, 120, 180, 240]
    assert marks(4.2) == [0, 1, 2, 3, 4]
    assert marks(7 * 86_400) == [0, 172_800, 345_600, 518_400]


@given(st.integers(1, 150 * 1440))
def test_a_plot_has_a_bounded_number_of_steps_whatever_the_while(minutes: int) -> None:
    span = timedelta(minutes=minutes)
    step = step_of(span)
    assert step in {timedelta(minutes=number) for number in STEPS}
    assert span / step <= POINTS


def test_steps_begin_at_round_times_and_cover_the_while() -> None:
    since = datetime(2026, 11, 25, 10, 7, tzinfo=UTC)
    report = replace(example(), since=since, until=since + timedelta(hours=1), step_seconds=600)
    steps = list(each_step(report))
    assert steps[0] == since.replace(minute=0)
    assert steps[-1] == since.replace(hour=11, minute=0)
    assert len(steps) == 7


def test_a_step_without_a_neighbour_is_seen_in_every_line() -> None:
    report = example()
    paths = {}
    for number in (0, 1):
        drawn = draw_lateness(replace(report, times=report.times[70 : 70 + number], outages=[]), "title")
        paths[number] = drawn.count('style="fill: none; stroke: var(--accent)') + drawn.count("stroke: var(--quiet)")
    assert paths[1] - paths[0] >= 2 * len(LINES), "a line each, in both sizes"
