"""Checking triggers: every fault is found before anything is published, and no fault shows a value."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from ajo_producers.campaigns.definition import Variable
from ajo_producers.contract.addresses import ROUNDED
from ajo_producers.contract.batch import decode_trigger
from ajo_producers.publishing.checked import check_trigger
from ajo_producers.publishing.errors import InvalidTrigger
from ajo_producers.publishing.given import GivenRecipient, GivenTrigger
from ajo_producers.publishing.request_id import key_flaw

from tests.support.definitions import ORDER_SHIPPED, definition

NOW = datetime(2026, 11, 1, 8, tzinfo=UTC)
LATE = datetime.max.replace(tzinfo=timezone(timedelta(hours=-5)))
EARLY = datetime.min.replace(tzinfo=timezone(timedelta(hours=5)))
"""Moments that UTC has no date for."""
GOOD: dict[str, Any] = {"to": "ada@example.com", "context": {"orderId": "A-1"}}


def problems(campaign: Any = ORDER_SHIPPED, **fields: Any) -> list[str]:
    with pytest.raises(InvalidTrigger) as caught:
        check_trigger(campaign, GivenTrigger(**{**GOOD, **fields}), NOW)
    assert "example.com" not in str(caught.value)
    return list(caught.value.problems)


def test_what_could_not_be_read_is_not_told_to_be_missing_as_well() -> None:
    campaign = definition(context={"minutes": Variable(type="number"), "order.total": Variable(type="number")})
    found = ["context.minutes must be a number such as 12.5", "its key is also that of line 3"]
    with pytest.raises(InvalidTrigger) as caught:
        check_trigger(campaign, GivenTrigger(to="ada@example.com", context={}), NOW, found)
    assert list(caught.value.problems) == [*found, "context.order.total is missing"]


def test_a_checked_trigger_is_what_a_worker_reads_with_defaults_filled_in() -> None:
    checked = check_trigger(ORDER_SHIPPED, GivenTrigger(**GOOD, expires_in=60, trace_id="t-1", occurred_at=NOW), NOW)
    assert decode_trigger(checked.encoded) == checked.trigger
    assert checked.lane == "standard"
    assert checked.trigger.recipients[0].context == {"orderId": "A-1", "carrier": "the post"}
    assert checked.trigger.expires_at == NOW + timedelta(seconds=60)
    assert (checked.trigger.occurred_at, checked.trigger.trace_id) == (NOW, "t-1")


def test_the_same_key_is_the_same_request_and_without_a_key_each_is_new() -> None:
    keyed = [check_trigger(ORDER_SHIPPED, GivenTrigger(**GOOD, key="A-1"), NOW + timedelta(days=day)) for day in (0, 9)]
    assert keyed[0].request_id == keyed[1].request_id
    plain = [check_trigger(ORDER_SHIPPED, GivenTrigger(**GOOD), NOW) for _ in range(2)]
    assert plain[0].request_id != plain[1].request_id


def test_all_problems_are_named_at_once() -> None:
    found = problems(
        definition(end=NOW),
        context={"orderid": 1},
        expires_in=-1,
        key="",
        occurred_at=datetime(2026, 11, 1),  # noqa: DTZ001 - what is to be refused
        trace_id="",
    )
    assert found == [
        "context.orderId is missing",
        "context.orderid is unknown; did you mean context.orderId?",
        "occurred_at must be a time with its zone between the years 2000 and 2100, such as 2026-11-01T08:00:00Z",
        "order-shipped ended at 2026-11-01T08:00:00+00:00",
        "key must be text of 1 to 512 characters",
        "trace_id must be text of 1 to 512 characters",
    ]


def test_a_length_of_time_is_a_timedelta_or_seconds() -> None:
    as_delta, as_seconds = (
        check_trigger(ORDER_SHIPPED, GivenTrigger(**GOOD, expires_in=length), NOW)
        for length in (timedelta(minutes=1), 60)
    )
    assert as_delta.trigger.expires_at == as_seconds.trigger.expires_at == NOW + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"expires_in": 0}, "it has expired already, at 2026-11-01T08:00:00+00:00"),
        ({"expires_at": NOW - timedelta(seconds=1)}, "it has expired already, at 2026-11-01T07:59:59+00:00"),
        ({"expires_in": 1, "expires_at": NOW}, "expires_in stands beside expires_at: give one or the other"),
        ({"expires_in": "60"}, "expires_in must be a number of seconds, or a timedelta"),
        ({"expires_in": True}, "expires_in must be a number of seconds, or a timedelta"),
        ({"expires_in": timedelta(0)}, "it has expired already, at 2026-11-01T08:00:00+00:00"),
        (
            {"expires_in": timedelta.max},
            "expires_in must end between the years 2000 and 2100; leave it out for never",
        ),
        ({"expires_in": float("nan")}, "expires_in must end between the years 2000 and 2100; leave it out for never"),
        ({"expires_in": 1e300}, "expires_in must end between the years 2000 and 2100; leave it out for never"),
        (
            {"expires_at": "soon"},
            "expires_at must be a time with its zone between the years 2000 and 2100, such as 2026-11-01T08:00:00Z",
        ),
        (
            {"key": "A", "occurred_at": datetime(1969, 1, 1, tzinfo=UTC)},
            "occurred_at must be a time with its zone between the years 2000 and 2100, such as 2026-11-01T08:00:00Z",
        ),
        ({"key": "\udcff"}, "key must be text of 1 to 512 characters"),
        *(({"key": blank}, "key is blank") for blank in (" ", "\u200b")),
        ({"key": "NULL"}, "key is NULL: what a program writes where there is no value"),
        ({"key": "#N/A"}, "key is #N/A: what a spreadsheet shows in place of a value that it doesn't have"),
        ({"key": "ORD-${ORDER}"}, "key holds a placeholder that nothing was put in place of"),
        ({"key": "$ORDER"}, "key holds a placeholder that nothing was put in place of"),
        (
            {"key": "1.23457E+12"},
            f"key {ROUNDED}",
        ),
        ({"key": 5}, "key must be text of 1 to 512 characters"),
        ({"trace_id": "t\0"}, "trace_id must be text of 1 to 512 characters"),
        (
            {"expires_at": LATE},
            "expires_at must be a time with its zone between the years 2000 and 2100, such as 2026-11-01T08:00:00Z",
        ),
        (
            {"key": "A", "occurred_at": EARLY},
            "occurred_at must be a time with its zone between the years 2000 and 2100, such as 2026-11-01T08:00:00Z",
        ),
        ({"trace_id": "x" * 513}, "trace_id must be text of 1 to 512 characters"),
        ({"to": None}, "to is missing (the address), and so is user_id"),
        ({"to": None, "user_id": "u1@example.com"}, "channel_data.emailAddress is missing"),
        *(({"to": blank}, "to is blank") for blank in ("", " ", "\u00a0\n")),
        *(({"to": None, "recipients": None, "user_id": blank}, "user_id is blank") for blank in ("", " ")),
        ({"user_id": " "}, "user_id is blank"),
        ({"to": "#N/A"}, "to is #N/A: what a spreadsheet shows in place of a value that it doesn't have"),
        ({"to": "Ada <ada@example.com>"}, "to is a name with an address: give the address alone"),
        ({"channel_data": {"emailAddress": "ada"}}, "channel_data.emailAddress is no e-mail address: it has no @"),
        ({"recipients": ()}, "recipients stands beside to, context: give one or the other"),
        ({"profile": {"firstName": "x" * 17_000_000}}, "it has 17,000,284 bytes; 15,990,000 is the most"),
    ],
)
def test_one_problem_is_named_exactly(fields: dict[str, Any], expected: str) -> None:
    assert expected in problems(**fields)


def test_what_is_wrong_with_an_address_is_told_once_by_the_name_it_was_given_under() -> None:
    assert problems(to="ada", channel_data=None) == ["to is no e-mail address: it has no @"]
    people = (GivenRecipient(to=" ", context={"orderId": "A"}), GivenRecipient(user_id=" ", to="b@example.com"))
    assert problems(to=None, context=None, recipients=people) == [
        "recipients[0].to is blank",
        "recipients[1].user_id is blank",
        "recipients[1].context.orderId is missing",
    ]
    text_message = definition(channel_data={"mobilePhoneNumber": Variable()})
    assert problems(text_message, to="+491701234567") == [
        "to is no e-mail address: it has no @ (as a user id of the namespace email)"
    ]


def test_blanks_around_an_address_are_cut() -> None:
    [sent] = check_trigger(ORDER_SHIPPED, GivenTrigger(**{**GOOD, "to": " ada@example.com\n"}), NOW).trigger.recipients
    assert (sent.user_id, sent.channel_data) == ("ada@example.com", {"emailAddress": "ada@example.com"})


def test_a_campaign_runs_from_its_start_to_its_end() -> None:
    campaign = definition(start=NOW, end=NOW + timedelta(seconds=1))
    check_trigger(campaign, GivenTrigger(**GOOD), NOW)
    for moment, word in ((NOW - timedelta(seconds=1), "starts"), (NOW + timedelta(seconds=1), "ended")):
        with pytest.raises(InvalidTrigger, match=word):
            check_trigger(campaign, GivenTrigger(**GOOD), moment)


def test_before_its_start_a_campaign_takes_what_workers_let_wait() -> None:
    campaign = definition(start=NOW + timedelta(hours=1), end=NOW + timedelta(hours=2))
    check_trigger(campaign, GivenTrigger(**GOOD), NOW, before_start="wait")
    for moment in (NOW, NOW + timedelta(hours=3)):
        with pytest.raises(InvalidTrigger, match="starts" if moment == NOW else "ended"):
            check_trigger(campaign, GivenTrigger(**GOOD), moment, before_start="refuse" if moment == NOW else "wait")


def test_what_goes_out_again_keeps_its_request_id() -> None:
    first = check_trigger(ORDER_SHIPPED, GivenTrigger(**GOOD), NOW).request_id
    assert check_trigger(ORDER_SHIPPED, GivenTrigger(**GOOD), NOW, again=first).request_id == first
    keyed = check_trigger(ORDER_SHIPPED, GivenTrigger(**GOOD, key="A-1"), NOW).request_id
    assert check_trigger(ORDER_SHIPPED, GivenTrigger(**GOOD, key="A-1"), NOW, again=keyed).request_id == keyed
    with pytest.raises(InvalidTrigger, match="not the receipts of this file"):
        check_trigger(ORDER_SHIPPED, GivenTrigger(**GOOD, key="A-2"), NOW, again=keyed)


def test_several_recipients_are_named_by_their_place() -> None:
    several = tuple(GivenRecipient(to=f"u{index}@example.com", context={"orderId": "A"}) for index in range(3))
    checked = check_trigger(ORDER_SHIPPED, GivenTrigger(recipients=several), NOW)
    assert [recipient.user_id for recipient in checked.trigger.recipients] == [
        "u0@example.com",
        "u1@example.com",
        "u2@example.com",
    ]
    with pytest.raises(InvalidTrigger) as caught:
        check_trigger(ORDER_SHIPPED, GivenTrigger(recipients=(*several, several[0], GivenRecipient())), NOW)
    assert caught.value.problems == (
        "recipients[4].to is missing (the address), and so is user_id",
        "recipients[3].user_id is the same as that of recipients[0]",
        "recipients[4].context.orderId is missing",
    )


def test_a_checked_trigger_shows_nothing_personal() -> None:
    checked = check_trigger(ORDER_SHIPPED, GivenTrigger(**GOOD), NOW)
    assert "example.com" not in repr(checked) + repr(GivenTrigger(**GOOD)) + repr(GivenRecipient(to="a@example.com"))


def test_the_lane_is_the_definitions() -> None:
    fast = definition(lane="high-throughput", recipient_type="external", profile={}, context={"orderId": Variable()})
    assert check_trigger(fast, GivenTrigger(**GOOD), NOW).lane == "high-throughput"


@pytest.mark.parametrize("key", ["12E4", "1e5", "order-1/items[2]", "{3f2c1a90}", "A$1", "0", "N-A", " A-1", "#A1001"])
def test_an_odd_key_is_taken(key: str) -> None:
    assert key_flaw(key) is None
