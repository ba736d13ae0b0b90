"""The model of docs/scaling.md finds what its samples were made of, and never a negative cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.bench.model import Line, Sample, fitted

LOADS = ((50, 1), (200, 1), (500, 1), (400, 20), (1500, 20), (500, 100), (3000, 100))


def samples(line: Line) -> list[Sample]:
    return [Sample(rate, batch, {"worker": line.at(rate, batch)}) for rate, batch in LOADS]


@pytest.mark.parametrize(
    "line", [Line(0.02, 1e-4, 5e-4, 1.0), Line(0.01, 2e-4, 0.004, 0.7), Line(0.0, 1e-4, 1e-3, 0.5)]
)
def test_a_load_that_it_was_not_fitted_on_costs_what_the_rule_says(line: Line) -> None:
    found = fitted(samples(line), "worker")
    for rate, batch in ((350, 1), (1000, 50), (5000, 100)):
        assert found.at(rate, batch) == pytest.approx(line.at(rate, batch), rel=0.02)


@given(st.lists(st.floats(0.001, 3), min_size=len(LOADS), max_size=len(LOADS)))
def test_nothing_ever_costs_less_than_nothing(used: list[float]) -> None:
    several = [Sample(rate, batch, {"worker": cores}) for (rate, batch), cores in zip(LOADS, used, strict=True)]
    found = fitted(several, "worker")
    assert min(found.rest, found.trigger, found.message) >= 0
