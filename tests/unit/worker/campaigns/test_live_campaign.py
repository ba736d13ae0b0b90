"""What Adobe says of a campaign: its own names first, others with tolerance, and everything else is unknown."""

from datetime import UTC, datetime
from typing import Any

import pytest
from ajo_worker.campaigns.live_campaign import UNKNOWN, LiveCampaign, read_status
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import examples

START, END = datetime(2026, 11, 1, 8, tzinfo=UTC), datetime(2027, 11, 1, 8, 0, 0, 500_000, tzinfo=UTC)

# As Adobe's description has it, less what doesn't concern us.
DOCUMENT = {
    "campaignId": "c-1",
    "versionId": "v-1",
    "liveVersionId": "v-1",
    "name": "Order shipped",
    "status": "LIVE",
    "schedule": {
        "startDate": "2026-11-01T08:00:00.000000Z",
        "startDateEnabled": True,
        "endDate": "2027-11-01T09:00:00.500000+01:00",
        "endDateEnabled": True,
    },
    "campaignType": "ApiTriggered",
    "category": "Transactional",
    "highThroughputMode": True,
    "identityNamespace": "Email",
    "audience": {"audienceType": "external"},
    "createNewProfile": False,
}


def test_a_document_of_adobes_description_is_read_whole() -> None:
    assert read_status(DOCUMENT) == LiveCampaign("live", "LIVE", START, END, "Email", "high-throughput", False)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        *((text, "not-live") for text in ("DRAFT", "IN_REVIEW", "ACTIVATING", "PROCESSING", "SCHEDULED", "FAILED")),
        *((text, "ended") for text in ("STOPPING", "STOPPED", "COMPLETED", "ARCHIVED", "DELETED", "finished")),
        *((text, "live") for text in ("LIVE", "live", "Live")),
        ("In review", "not-live"),
        ("PAUSED", "unknown"),
    ],
)
def test_a_status_means_live_not_yet_or_no_longer(text: str, status: str) -> None:
    found = read_status({"status": text})
    assert (found.status, found.status_text) == (status, text)


@pytest.mark.parametrize(
    ("text", "status"),
    [("DRAFT", "unknown"), ("FAILED", "unknown"), ("SCHEDULED", "not-live"), ("STOPPED", "ended"), ("LIVE", "live")],
)
def test_a_draft_beside_a_live_version_does_not_make_the_campaign_not_live(text: str, status: str) -> None:
    assert read_status({"status": text, "liveVersionId": "v-1"}).status == status


@pytest.mark.parametrize(
    ("document", "field", "value"),
    [
        ({"state": "STOPPED"}, "status", "ended"),
        ({"lifecycleState": "DRAFT"}, "status", "not-live"),
        ({"status": None, "state": "LIVE"}, "status", "live"),
        ({"schedule": {"startTime": "2026-11-01T08:00:00Z"}}, "start", START),
        ({"startDate": "2026-11-01T09:00:00+01:00"}, "start", START),
        ({"namespace": "Email"}, "namespace", "Email"),
        ({"audience": {"namespace": "Email"}}, "namespace", "Email"),
        ({"highThroughputMode": False}, "lane", "standard"),
        ({"throughputMode": "HIGH_THROUGHPUT"}, "lane", "high-throughput"),
        ({"throughput": "Standard"}, "lane", "standard"),
        ({"createNewProfiles": True}, "creates_profiles", True),
    ],
)
def test_other_likely_names_are_read_where_adobes_own_are_missing(
    document: dict[str, Any], field: str, value: object
) -> None:
    assert getattr(read_status(document), field) == value


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "LIVE",
        {},
        {"status": 1, "schedule": [], "identityNamespace": {}, "highThroughputMode": "yes", "createNewProfile": 0},
        {"status": "ada@example.com", "identityNamespace": "a\nb", "throughput": "x" * 65},
        {"schedule": {"startDate": "2026-11-01T08:00:00", "endDate": "soon"}},
        {"schedule": {"startDate": "2026-11-01T08:00:00Z", "startDateEnabled": False}},
        {"endDate": "0001-01-01T00:00:00+14:00"},
        {"endDate": 1_793_520_000_000},
    ],
)
def test_what_cannot_be_read_is_unknown(document: object) -> None:
    assert read_status(document) == UNKNOWN


NAMES = [*DOCUMENT, *DOCUMENT["schedule"], "state", "startTime", "namespace", "throughput", "code"]
texts = st.text(max_size=30) | st.sampled_from(["LIVE", "DRAFT", "high", "2026-11-01T08:00:00Z", "9999-12-31T23-23"])
leaves = st.none() | st.booleans() | st.integers() | st.floats() | texts | st.datetimes().map(datetime.isoformat)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | texts, inner, max_size=8),
    max_leaves=20,
)


@settings(max_examples=examples(300))
@given(values)
def test_no_document_makes_the_reader_raise_or_pass_on_text_that_may_not_be_shown(document: object) -> None:
    found = read_status(document)
    for text in (found.status_text, found.namespace):
        assert text is None or (text.isprintable() and text.isascii() and "@" not in text and len(text) <= 64)
    for moment in (found.start, found.end):
        assert moment is None or moment.tzinfo is UTC
