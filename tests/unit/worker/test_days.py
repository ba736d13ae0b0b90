"""Days of a time zone: where they begin and end, also where clocks change."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from ajo_worker.days import bounds, read_day, read_zone, utc_days
from hypothesis import given
from hypothesis import strategies as st

BERLIN, ZONES = (
    ZoneInfo("Europe/Berlin"),
    ("UTC", "Europe/Berlin", "America/Santiago", "Asia/Kathmandu", "Pacific/Apia"),
)
NOW = datetime(2026, 11, 29, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "zone", "day"),
    [
        ("today", "UTC", date(2026, 11, 29)),
        ("Yesterday", "UTC", date(2026, 11, 28)),
        ("today", "Europe/Berlin", date(2026, 11, 30)),
        ("yesterday", "America/Santiago", date(2026, 11, 28)),
        (" 2026-03-29 ", "Europe/Berlin", date(2026, 3, 29)),
    ],
)
def test_a_day_is_meant_in_its_zone(text: str, zone: str, day: date) -> None:
    assert read_day(text, NOW, read_zone(zone)) == day


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-02-30", "20261129", "28.11.2026", "0001-01-01", "9999-12-31"])
def test_what_is_no_day_is_told_with_what_is(text: str) -> None:
    with pytest.raises(ValueError, match="must be today, yesterday, or a day such as 2026-11-25"):
        read_day(text, NOW, BERLIN)


@pytest.mark.parametrize("name", ["", "Berlin", "../etc/passwd", "/etc/passwd", "UTC+1", "\x00"])
def test_what_is_no_zone_is_told_with_what_is(name: str) -> None:
    with pytest.raises(ValueError, match="must be the IANA name of a time zone"):
        read_zone(name)


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 11, 25), 24)]
)
def test_a_day_is_as_long_as_its_clocks_make_it(day: date, hours: int) -> None:
    begin, end = bounds(day, BERLIN)
    assert end - begin == timedelta(hours=hours)


@given(st.dates(date(2000, 1, 1), date(2099, 12, 30)), st.sampled_from(ZONES))
def test_days_follow_one_another_without_a_gap_and_lie_in_the_days_of_utc_that_are_named(day: date, zone: str) -> None:
    begin, end = bounds(day, read_zone(zone))
    assert end == bounds(day + timedelta(days=1), read_zone(zone))[0]
    days = utc_days(day, read_zone(zone))
    assert begin == end or days[0] == begin.date()
    assert len(days) <= 2
    assert all(one in days for one in {begin.date(), max(begin, end - timedelta(microseconds=1)).date()})
