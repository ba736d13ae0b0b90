"""A feedback's id: the same for the same content, and in the day's partition of what it tells of."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from ajo_worker.feedback.feedback import Feedback, feedback_id, own_request_id
from hypothesis import given
from hypothesis import strategies as st

from tests.support.feedback_items import NOON

SENT = Feedback("sent", happened_at=NOON, execution_id="HUMA-1", recipient_hashes=(b"\x01" * 16,))
instants = st.datetimes(datetime(1970, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone


@given(happened_at=instants, arrived=instants)
def test_an_id_is_a_uuid7_of_the_millisecond_in_which_it_happened(happened_at: datetime, arrived: datetime) -> None:
    found = feedback_id(replace(SENT, happened_at=happened_at), arrived)
    assert found.version == 7
    assert found.variant == "specified in RFC 4122"
    assert datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=found.int >> 80) == happened_at.replace(
        microsecond=happened_at.microsecond // 1000 * 1000
    )


@given(arrived=instants)
def test_without_an_instant_the_same_content_has_the_same_id_all_day(arrived: datetime) -> None:
    untold = replace(SENT, happened_at=None)
    midnight = arrived.replace(hour=0, minute=0, second=0, microsecond=0)
    assert feedback_id(untold, arrived) == feedback_id(untold, midnight)
    assert feedback_id(untold, midnight) != feedback_id(untold, midnight + timedelta(days=1))


def test_arrival_doesnt_matter_where_the_instant_is_told() -> None:
    assert feedback_id(SENT, NOON) == feedback_id(SENT, NOON + timedelta(days=3))


@pytest.mark.parametrize(
    "change",
    [
        {"status": "delivered"},
        {"happened_at": NOON + timedelta(microseconds=1)},
        {"execution_id": "HUMA-2"},
        {"adobe_request_id": "gateway-1"},
        {"campaign_id": "c"},
        {"channel": "sms"},
        {"failure_category": "sync"},
        {"failure_type": "Hard"},
        {"failure_code": "25"},
        {"failure_reason": "full"},
        {"retry_count": 1},
        {"recipient_hashes": (b"\x02" * 16,)},
    ],
)
def test_every_part_of_the_content_makes_another_id(change: dict[str, Any]) -> None:
    assert feedback_id(replace(SENT, **change), NOON) != feedback_id(SENT, NOON)


def test_the_id_is_the_one_that_it_always_was() -> None:
    """Stored feedback is known again after an upgrade."""
    assert feedback_id(SENT, NOON) == UUID("01a21293-b600-7ecf-a735-65040ecefb97")


def test_only_a_uuid_may_be_a_request_id_of_ours() -> None:
    ours = uuid4()
    assert own_request_id(replace(SENT, adobe_request_id=str(ours))) == ours
    assert own_request_id(replace(SENT, adobe_request_id="8NoByJneShCdCGRnrGS1t1m3CdA73dhR")) is None
    assert own_request_id(SENT) is None
