"""Request ids with a key: the same event gives the same id, whoever asks and whenever."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import RFC_4122, UUID

import pytest
from ajo_producers.publishing.request_id import EPOCH, keyed_request_id, random_request_id, time_of
from hypothesis import given
from hypothesis import strategies as st

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
moments = st.none() | st.datetimes(
    min_value=datetime(1970, 1, 2), timezones=st.sampled_from([UTC, timezone(timedelta(hours=-9))])
)
cases = st.tuples(texts, texts, moments)


@given(cases)
def test_the_same_event_has_the_same_id(case: tuple[str, str, datetime | None]) -> None:
    assert keyed_request_id(*case) == keyed_request_id(*case)


@given(texts, texts, st.datetimes(min_value=datetime(1970, 1, 2), timezones=st.just(UTC)))
def test_an_instant_is_the_same_in_every_zone(campaign: str, key: str, moment: datetime) -> None:
    there = moment.astimezone(timezone(timedelta(hours=5, minutes=45))) if moment.year < 9999 else moment
    assert keyed_request_id(campaign, key, moment) == keyed_request_id(campaign, key, there)


@given(cases, cases)
def test_other_events_have_other_ids(
    one: tuple[str, str, datetime | None], other: tuple[str, str, datetime | None]
) -> None:
    def whole_milliseconds(moment: datetime | None) -> timedelta:
        return timedelta() if moment is None else (moment - EPOCH) // timedelta(milliseconds=1) * timedelta(seconds=1)

    same = one[:2] == other[:2] and whole_milliseconds(one[2]) == whole_milliseconds(other[2])
    assert (keyed_request_id(*one) == keyed_request_id(*other)) is same


@given(cases)
def test_an_id_is_a_uuid_of_version_7_that_carries_the_event_time(case: tuple[str, str, datetime | None]) -> None:
    request_id = keyed_request_id(*case)
    assert (request_id.version, request_id.variant) == (7, RFC_4122)
    moment = case[2] or EPOCH
    assert timedelta() <= moment - time_of(request_id) < timedelta(milliseconds=1)


def test_campaign_and_key_are_told_apart() -> None:
    assert keyed_request_id("ab", "c", None) != keyed_request_id("a", "bc", None)


# The values that docs/message-format.md gives to producers in other languages.
@pytest.mark.parametrize(
    ("occurred_at", "expected"),
    [
        (None, "00000000-0000-73fe-a636-947fdb6ac011"),
        (datetime(2026, 11, 1, 8, tzinfo=UTC), "019a3e88-9e00-73fe-a636-947fdb6ac011"),
    ],
)
def test_ids_never_change_from_release_to_release(occurred_at: datetime | None, expected: str) -> None:
    assert keyed_request_id("order-shipped", "A-1", occurred_at) == UUID(expected)


def test_a_time_before_1970_is_refused() -> None:
    with pytest.raises(ValueError, match="before 1970"):
        keyed_request_id("order-shipped", "A-1", datetime(1969, 12, 31, tzinfo=UTC))


def test_random_ids_differ_and_carry_the_present_time() -> None:
    before = datetime.now(UTC)
    one, other = random_request_id(), random_request_id()
    assert one != other
    assert before - timedelta(seconds=1) < time_of(one) <= datetime.now(UTC)
