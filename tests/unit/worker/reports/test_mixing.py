"""Percentiles of groups, mixed."""

import pytest
from ajo_worker.reports.mixing import mix
from ajo_worker.reports.value import Spread
from hypothesis import given
from hypothesis import strategies as st

values = st.floats(-5, 1000)
spreads = st.builds(
    lambda triggers, four: Spread(triggers, *sorted(four)),
    st.integers(1, 10_000),
    st.lists(values, min_size=4, max_size=4),
)
FIELDS = ("p50", "p95", "p99", "longest")


@given(spreads)
def test_one_group_keeps_its_own(group: Spread) -> None:
    assert mix([group]) == group


@given(st.lists(spreads, min_size=1, max_size=6))
def test_every_percentile_lies_between_those_of_the_groups_and_they_are_in_order(groups: list[Spread]) -> None:
    mixed = mix(groups)
    assert mixed is not None
    assert mixed.triggers == sum(group.triggers for group in groups)
    for field in ("p50", "p95", "p99"):
        own = [getattr(group, field) for group in groups]
        assert min(own) <= getattr(mixed, field) <= max(own)
    assert mixed.longest == max(group.longest for group in groups)
    assert mixed.p50 <= mixed.p95 <= mixed.p99 <= mixed.longest


@given(spreads, st.integers(2, 50))
def test_groups_that_are_alike_mix_to_the_same(group: Spread, many: int) -> None:
    mixed = mix([group] * many)
    assert mixed is not None
    for field in FIELDS:
        assert getattr(mixed, field) == pytest.approx(getattr(group, field))


def test_groups_count_by_their_size() -> None:
    quick, slow = Spread(9_900, 0.1, 0.2, 0.3, 0.4), Spread(100, 10, 11, 12, 13)
    mixed = mix([quick, slow])
    assert mixed is not None
    assert 0.1 <= mixed.p50 < 0.11
    assert mixed.p99 == pytest.approx(0.4, rel=0.1)
    many_slow = mix([quick, Spread(1_000, 10, 11, 12, 13)])
    assert many_slow is not None
    assert 9 < many_slow.p95 < 11


def test_triggers_that_took_no_time_pull_the_median_to_nothing() -> None:
    mixed = mix([Spread(60, 0, 0, 0, 0), Spread(40, 8, 8, 8, 8)])
    assert mixed is not None
    assert (mixed.p50, mixed.p95, mixed.p99, mixed.longest) == (0, 8, 8, 8)


def test_nothing_has_no_percentiles() -> None:
    assert mix([]) is None
    assert mix([Spread(0, 0, 0, 0, 0)]) is None
