"""When a hold ends, as people write it."""

from datetime import UTC, datetime

import pytest
from ajo_worker.cli.outage.changes import parse_until

NOW = datetime(2026, 11, 25, 12, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("2h", datetime(2026, 11, 25, 14, 0, 30, tzinfo=UTC)),
        ("1d12h", datetime(2026, 11, 27, 0, 0, 30, tzinfo=UTC)),
        ("2026-11-25T14:00", datetime(2026, 11, 25, 14, tzinfo=UTC)),
        (" 2026-11-25 14:00 ", datetime(2026, 11, 25, 14, tzinfo=UTC)),
        ("2026-11-25T14:00Z", datetime(2026, 11, 25, 14, tzinfo=UTC)),
        ("2026-11-25T14:00+01:00", datetime(2026, 11, 25, 13, tzinfo=UTC)),
        ("2026-11-26", datetime(2026, 11, 26, tzinfo=UTC)),
    ],
)
def test_a_duration_counts_from_now_and_a_time_without_a_zone_is_utc(text: str, until: datetime) -> None:
    assert parse_until(text, NOW) == until


@pytest.mark.parametrize("text", ["", "soon", "14:00", "2", "0s", "-2h", "2026-13-25T14:00", "25-11-2026", "1e9-1"])
def test_anything_else_is_refused_with_what_it_must_be(text: str) -> None:
    with pytest.raises(ValueError, match=r"2026-11-25T14:00 \(UTC\)"):
        parse_until(text, NOW)


@pytest.mark.parametrize("text", ["2026-11-25T12:00", "2026-11-25T12:30+01:00"])
def test_a_time_that_is_over_is_refused_with_the_time_that_it_is(text: str) -> None:
    with pytest.raises(ValueError, match="is over: it is 2026-11-25 12:00:30 UTC"):
        parse_until(text, NOW)
