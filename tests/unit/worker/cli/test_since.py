"""Durations as people write them."""

from datetime import timedelta

import pytest
import typer
from ajo_worker.cli.since import parse_duration, read_since
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("30s", timedelta(seconds=30)),
        ("15m", timedelta(minutes=15)),
        ("1h", timedelta(hours=1)),
        ("2d", timedelta(days=2)),
        ("1d12h", timedelta(hours=36)),
        ("1h30m5s", timedelta(hours=1, minutes=30, seconds=5)),
        ("90m", timedelta(minutes=90)),
        (" 24H ", timedelta(hours=24)),
        ("0d5s", timedelta(seconds=5)),
        ("3650d", timedelta(days=3650)),
    ],
)
def test_units_can_be_combined_from_the_largest_to_the_smallest(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text",
    ["", " ", "s", "10", "-1h", "+1h", "1.5h", "1w", "1h 30m", "30m1h", "1h1h", "1 hour", "0s", "0d0h", "٣h", "1h\n2m"],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["3651d", "999999999d", "99999999999d", f"{10**30}s"])
def test_a_duration_that_no_ledger_has_is_refused_before_it_overflows(text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        parse_duration(text)


@given(*(st.integers(0, 500) for _ in range(4)))
def test_what_is_written_is_what_is_read(days: int, hours: int, minutes: int, seconds: int) -> None:
    expected = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if expected:
        assert parse_duration(f"{days}d{hours}h{minutes}m{seconds}s") == expected


def test_the_option_is_named_in_the_message() -> None:
    with pytest.raises(typer.BadParameter, match="must be a duration such as") as refused:
        read_since("soon")
    assert refused.value.param_hint == "--since"
