"""Request ids with a key: the same event gives the same id, whoever asks and whenever."""

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import RFC_4122, UUID

import pytest
from ajo_producers.contract.timed_ids import EPOCH, MILLISECOND
from ajo_producers.publishing.request_id import keyed_request_id, random_request_id
from hypothesis import given
from hypothesis import strategies as st

DOCUMENT = (Path(__file__).parents[4] / "docs" / "message-format.md").read_text(encoding="utf-8")

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
FIRST = datetime(1970, 1, 2)  # noqa: DTZ001 - hypothesis takes its bounds without a zone
moments = st.none() | st.datetimes(min_value=FIRST, timezones=st.sampled_from([UTC, timezone(timedelta(hours=-9))]))
cases = st.tuples(texts, texts, moments)


def time_of(request_id: UUID) -> datetime:
    """The time that a UUIDv7 carries, in whole milliseconds."""
    return EPOCH + (request_id.int >> 80) * MILLISECOND


@given(cases)
def test_the_same_event_has_the_same_id(case: tuple[str, str, datetime | None]) -> None:
    assert keyed_request_id(*case) == keyed_request_id(*case)


@given(texts, texts, st.datetimes(min_value=FIRST, timezones=st.just(UTC)))
def test_an_instant_is_the_same_in_every_zone(campaign: str, key: str, moment: datetime) -> None:
    there = moment.astimezone(timezone(timedelta(hours=5, minutes=45))) if moment.year < 9999 else moment
    assert keyed_request_id(campaign, key, moment) == keyed_request_id(campaign, key, there)


@given(cases, cases)
def test_other_events_have_other_ids(
    one: tuple[str, str, datetime | None], other: tuple[str, str, datetime | None]
) -> None:
    def whole_milliseconds(moment: datetime | None) -> int:
        return 0 if moment is None else (moment - EPOCH) // timedelta(milliseconds=1)

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


def documented_values() -> list[tuple[str, str, datetime | None, UUID]]:
    """The rows of the table that docs/message-format.md gives to producers in other languages."""
    rows = re.findall(r"^\| `(.+)` \| `(.+)` \| (none|`.+`) \| `([0-9a-f-]{36})` \|$", DOCUMENT, re.MULTILINE)
    return [
        (campaign, key, None if time == "none" else datetime.fromisoformat(time.strip("`")), UUID(request_id))
        for campaign, key, time, request_id in rows
    ]


def test_ids_never_change_from_release_to_release() -> None:
    values = documented_values()
    assert len(values) == 4
    assert [keyed_request_id(*value[:3]) for value in values] == [value[3] for value in values]


def test_the_derivation_in_the_docs_is_the_sdks() -> None:
    names: dict[str, Any] = {}
    exec(DOCUMENT.split("```python\n")[1].split("```")[0], names)
    for campaign, key, occurred_at, request_id in documented_values():
        milliseconds = int((occurred_at or EPOCH).timestamp() * 1000)
        assert names["request_id"](campaign, key, milliseconds) == request_id


def test_a_time_before_1970_is_refused() -> None:
    with pytest.raises(ValueError, match="before 1970"):
        keyed_request_id("order-shipped", "A-1", datetime(1969, 12, 31, tzinfo=UTC))


def test_random_ids_differ_and_carry_the_present_time() -> None:
    before = datetime.now(UTC)
    one, other = random_request_id(), random_request_id()
    assert one != other
    assert before - timedelta(seconds=1) < time_of(one) <= datetime.now(UTC)
