"""Where a definition and Journey Optimizer differ: a table of what each says."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from ajo_worker.campaigns.differences import differences
from ajo_worker.campaigns.live_campaign import LiveCampaign

from tests.support.definitions import definition

START, END = datetime(2026, 11, 1, 8, tzinfo=UTC), datetime(2027, 11, 1, 8, tzinfo=UTC)
LIVE = {"status": "live", "status_text": "LIVE"}
HIGH = {
    "lane": "high-throughput",
    "endpoint": "https://platform.adobe.io/ajo/im/executions/highthroughput",
    "recipient_type": "external",
    "profile": {},
}


def found(ours: dict[str, Any], theirs: dict[str, Any]) -> list[tuple[str, str | None, str | None]]:
    told = differences(definition(**ours), LiveCampaign(**{**LIVE, **theirs}))
    assert all(one.advice for one in told)
    return [(one.field, one.here, one.there) for one in told]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({}, {}),
        ({"start": START, "end": END}, {"start": START, "end": END}),
        ({"start": START.astimezone(timezone(timedelta(hours=1)))}, {"start": START + timedelta(milliseconds=999)}),
        ({"start": START, "end": END, "creates_profiles": False}, {}),
        ({"namespace": "email"}, {"namespace": "Email"}),
        ({}, {"lane": "standard", "creates_profiles": True}),
        (HIGH, {"lane": "high-throughput", "creates_profiles": False}),
        ({"creates_profiles": False}, {"creates_profiles": False}),
        ({"start": START}, {"status": "not-live", "status_text": "SCHEDULED", "start": START}),
    ],
)
def test_what_agrees_or_is_not_told_is_no_difference(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert found(ours, theirs) == []


@pytest.mark.parametrize(
    ("ours", "theirs", "field", "here", "there"),
    [
        ({}, {"status": "not-live", "status_text": "DRAFT"}, "status", None, "DRAFT"),
        ({}, {"status": "not-live", "status_text": "SCHEDULED"}, "status", None, "SCHEDULED"),
        ({"end": END}, {"status": "ended", "status_text": "COMPLETED", "end": END}, "status", None, "COMPLETED"),
        ({}, {"status": "unknown", "status_text": "PAUSED"}, "status", None, "PAUSED"),
        ({}, {"status": "unknown", "status_text": None}, "status", None, None),
        ({"start": START}, {"start": END}, "start", "2026-11-01T08:00:00Z", "2027-11-01T08:00:00Z"),
        ({"end": END}, {"end": END + timedelta(seconds=1)}, "end", "2027-11-01T08:00:00Z", "2027-11-01T08:00:01Z"),
        ({}, {"start": START}, "start", None, "2026-11-01T08:00:00Z"),
        ({}, {"end": END}, "end", None, "2027-11-01T08:00:00Z"),
        ({}, {"namespace": "Phone"}, "namespace", "email", "Phone"),
        ({}, {"lane": "high-throughput"}, "lane", "standard", "high-throughput"),
        (HIGH, {"lane": "standard"}, "lane", "high-throughput", "standard"),
        ({}, {"creates_profiles": False}, "creates_profiles", None, "false"),
        ({"creates_profiles": False}, {"creates_profiles": True}, "creates_profiles", "false", "true"),
        ({"creates_profiles": True}, {"creates_profiles": False}, "creates_profiles", "true", "false"),
    ],
)
def test_a_difference_is_told_by_field_with_both_sides(
    ours: dict[str, Any], theirs: dict[str, Any], field: str, here: str | None, there: str | None
) -> None:
    assert found(ours, theirs) == [(field, here, there)]


def test_a_scheduled_campaign_that_starts_at_another_time_differs_in_both() -> None:
    theirs = {"status": "not-live", "status_text": "SCHEDULED", "start": END}
    assert [field for field, *_ in found({"start": START}, theirs)] == ["status", "start"]


def test_all_differences_are_told_together() -> None:
    theirs = {
        "status": "ended",
        "start": START,
        "end": END,
        "namespace": "Phone",
        "lane": "high-throughput",
        "creates_profiles": False,
    }
    assert [field for field, *_ in found({}, theirs)] == list(theirs)


def test_a_missing_date_can_be_copied_from_the_advice() -> None:
    [missing] = differences(definition(), LiveCampaign(**{**LIVE, "end": END}))
    assert "write end = 2027-11-01T08:00:00Z into the definition" in missing.advice
