"""How numbers read."""

from datetime import UTC, datetime

import pytest
from ajo_worker.words import clock, duration, instant, percent, seconds, share, system_name


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"), (0, "0 s"), (0.0004, "under 0.001 s"), (0.045, "0.045 s"), (2.5, "2.5 s"), (9, "9 s"),
        (12.34, "12.3 s"), (59.99, "60 s"), (60, "1 min"), (250, "4 min 10 s"), (3599.7, "60 min"), (3600, "1 h"),
        (7500, "2 h 5 min"), (86_400, "1 d"), (273_600, "3 d 4 h"), (-3.25, "−3.25 s"),
    ],
)  # fmt: skip
def test_a_duration_has_at_most_two_units(value: float | None, text: str) -> None:
    assert duration(value) == text


@pytest.mark.parametrize(
    ("part", "text"),
    [(0, "0%"), (0.0001, "under 0.1%"), (0.083, "8.3%"), (0.5, "50%"), (0.9999, "over 99.9%"), (1, "100%")],
)
def test_a_share_is_neither_all_nor_nothing_unless_it_is(part: float, text: str) -> None:
    assert share(part) == text


def test_moments_are_in_utc_and_their_day_is_told_where_it_changes() -> None:
    noon = datetime(2026, 11, 5, 12, 3, tzinfo=UTC)
    assert clock(noon, noon.replace(hour=1)) == "12:03"
    assert clock(noon, noon.replace(day=6)) == "5 Nov 12:03"
    assert instant(noon) == "2026-11-05 12:03:00 UTC"
    assert instant(noon, UTC) == "2026-11-05 12:03:00"
    assert instant(None) == "–"


def test_a_system_that_is_not_known_goes_by_its_own_name() -> None:
    assert [system_name("adobe-api"), system_name("moon"), system_name(None)] == ["Adobe's API", "moon", "unexplained"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0.0, "0.000"), (-1e-9, "0.000"), (-3.2, "-3.200"), (99.9994, "99.999"), (1234.56, "1,234.6")],
)
def test_seconds_are_exact_while_they_are_few_and_never_minus_zero(value: float | None, text: str) -> None:
    assert seconds(value) == text


def test_a_share_that_is_unknown_is_no_zero() -> None:
    assert [percent(None), percent(-1e-9), percent(0.667)] == ["–", "0.0%", "66.7%"]
