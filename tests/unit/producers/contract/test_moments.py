"""Moments that no system behind us could hold are refused, wherever they stand; those that can be meant pass."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from ajo_producers.contract.batch import BadMessage, BadTrigger, decode_body, decode_trigger
from ajo_producers.contract.trigger import EARLIEST, LATEST, is_moment
from hypothesis import given
from hypothesis import strategies as st

REQUEST_ID = "01a2137e-7d7f-7d7f-8d7f-7d7f7d7f7d7f"
INSANE = ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1999-12-31T23:59:59Z", "2100-01-01T00:00:00Z",
          "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"]  # fmt: skip


def trigger(**more: str) -> dict[str, object]:
    return {"request_id": REQUEST_ID, "campaign": "c", "recipients": [{"user_id": "u"}], **more}


def message(enqueued_at: str) -> bytes:
    batch = {
        "version": 1,
        "batch_id": REQUEST_ID,
        "producer": "p",
        "enqueued_at": enqueued_at,
        "triggers": [trigger()],
    }
    return json.dumps([[batch], {}, {}]).encode()


@pytest.mark.parametrize("moment", INSANE)
@pytest.mark.parametrize("field", ["occurred_at", "outbox_at", "expires_at"])
def test_a_trigger_with_a_moment_that_can_not_be_meant_is_refused_by_name(field: str, moment: str) -> None:
    with pytest.raises(BadTrigger, match=f"{field} must be a time .* between the years 2000 and 2100"):
        decode_trigger(json.dumps(trigger(**{field: moment})).encode())


@pytest.mark.parametrize("moment", INSANE)
def test_a_message_that_was_published_at_such_a_moment_is_refused(moment: str) -> None:
    with pytest.raises(BadMessage, match="enqueued_at must be a time"):
        decode_body(message(moment))


@given(st.datetimes(timezones=st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours)))))
def test_a_moment_passes_exactly_if_it_lies_between_the_bounds(moment: datetime) -> None:
    assert is_moment(moment) is (EARLIEST <= moment < LATEST)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis adds the zone
def test_moments_of_a_century_travel(moment: datetime) -> None:
    assert decode_trigger(json.dumps(trigger(occurred_at=moment.isoformat())).encode()).occurred_at == moment
    assert decode_body(message(moment.isoformat())).enqueued_at == moment
