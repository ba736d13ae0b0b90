"""Retry-After as servers, gateways and proxies send it: no wait is shorter than what was asked for."""

from datetime import UTC, datetime

import pytest
from ajo_worker.api.retry_after import LONGEST, retry_after
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
IN_30_S = "Tue, 24 Nov 2026 12:00:30 GMT"


def asked(value: str, date: str | None = None) -> float | None:
    return retry_after({"retry-after": value, **({} if date is None else {"date": date})}, lambda: NOW)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("007", 7.0),
        ("1.5", 1.5),
        ("+5", 5.0),
        ('"5"', 5.0),
        ("5s", 5.0),
        ("5 seconds", 5.0),
        ("5; because", 5.0),
        ("5, 7", 7.0),
        ("7, 5", 7.0),
        ("9" * 400, LONGEST),
        ("", None),
        ("-1", None),
        ("soon", None),
        ("1.5.2", None),
        ("1e3", None),
        ("Infinity", None),
        ("٧", None),
    ],
)
def test_a_number_is_read_as_seconds(value: str, seconds: float | None) -> None:
    assert asked(value) == seconds


def test_without_it_nothing_is_asked_for() -> None:
    assert retry_after({}) is None


@pytest.mark.parametrize(
    "value",
    [
        IN_30_S,
        "Tuesday, 24-Nov-26 12:00:30 GMT",
        "Tue Nov 24 12:00:30 2026",
        "Tue, 24 Nov 2026 13:00:30 +0100",
        "2026-11-24T12:00:30Z",
        "2026-11-24T13:00:30+01:00",
        f"{IN_30_S}, Tue, 24 Nov 2026 12:00:10 GMT",
        f"Tue, 24 Nov 2026 12:00:10 GMT, {IN_30_S}",
    ],
)
def test_a_date_is_read_in_each_form(value: str) -> None:
    assert asked(value) == 30.0
    assert asked(value, "Tue, 24 Nov 2026 12:00:10 GMT") == 20.0


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        ("Tue, 24 Nov 2026 11:00:00 GMT", "Tue, 24 Nov 2026 12:00:00 GMT", 0.0),
        ("Tue, 24 Nov 2026 11:00:00 GMT", None, 0.0),
        ("Tue, 24 Nov 2099 12:00:00 GMT", "nonsense", LONGEST),
        ("Tue, 99 Nov 2026 12:00:00 GMT", None, None),
    ],
)
def test_the_past_is_now_and_nonsense_nothing(value: str, date: str | None, seconds: float | None) -> None:
    assert asked(value, date) == seconds


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        ("Tue, 24 Nov 2026 09:30:30 GMT", "Tue, 24 Nov 2026 09:30:00 GMT", 30.0),
        ("Tue, 24 Nov 2026 15:00:30 GMT", "Tue, 24 Nov 2026 15:00:00 GMT", 30.0),
        ("Tue, 24 Nov 2026 15:00:00 GMT", "Tue, 24 Nov 2026 15:00:05 GMT", 0.0),
        (IN_30_S, "Thu, 01 Jan 1970 00:00:00 GMT", 30.0),
        (IN_30_S, "Tue, 24 Nov 2026 09:00:00 GMT", 30.0),
        (IN_30_S, "Tue, 24 Nov 2026 14:00:00 GMT", 30.0),
        (IN_30_S, "Sat, 24 Nov 2096 14:00:00 GMT", 30.0),
    ],
)
def test_it_is_seen_from_the_answer_s_own_clock_unless_that_makes_no_sense_of_it(
    value: str, date: str, seconds: float
) -> None:
    """The first three: the endpoint's clock is wrong, and its date by it; the others: its ``Date`` alone is wrong."""
    assert asked(value, date) == seconds


@given(st.text(max_size=200), st.none() | st.text(max_size=60))
def test_nothing_raises(value: str, date: str | None) -> None:
    seconds = asked(value, date)
    assert seconds is None or 0.0 <= seconds <= LONGEST
