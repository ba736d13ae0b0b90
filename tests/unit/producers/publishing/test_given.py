"""Where an address goes, and reading what people write."""

from datetime import UTC, datetime
from typing import Any

import pytest
from ajo_producers.campaigns.definition import Variable
from ajo_producers.publishing.given import GivenRecipient, read_given, recipient_of

from tests.support.definitions import definition

EMAIL = {"emailAddress": Variable()}
PHONE = {"mobilePhoneNumber": Variable()}


@pytest.mark.parametrize(
    ("takes", "given", "user_id", "channel_data"),
    [
        (EMAIL, {"to": "a@example.com"}, "a@example.com", {"emailAddress": "a@example.com"}),
        (EMAIL, {"to": "a@example.com", "user_id": "u-1"}, "u-1", {"emailAddress": "a@example.com"}),
        (PHONE, {"to": "+15550100"}, "+15550100", {"mobilePhoneNumber": "+15550100"}),
        (EMAIL | PHONE, {"to": "+15550100"}, "+15550100", {"mobilePhoneNumber": "+15550100"}),
        (EMAIL | PHONE, {"to": "a@example.com"}, "a@example.com", {"emailAddress": "a@example.com"}),
        ({}, {"to": "a@example.com"}, "a@example.com", {}),
        (EMAIL, {"to": "a", "channel_data": {"emailAddress": "b"}}, "a", {"emailAddress": "b"}),
        (EMAIL, {"user_id": "u-1"}, "u-1", {}),
    ],
)
def test_the_address_goes_where_the_campaign_wants_it(
    takes: dict[str, Variable], given: dict[str, Any], user_id: str, channel_data: dict[str, str]
) -> None:
    recipient, problems, _ = recipient_of(definition(channel_data=takes), GivenRecipient(**given))
    assert (recipient.user_id, recipient.channel_data, problems) == (user_id, channel_data, [])


def test_an_address_that_would_get_lost_is_a_problem() -> None:
    _, problems, _ = recipient_of(definition(channel_data={}), GivenRecipient(to="a@example.com", user_id="u-1"))
    assert problems == [
        "to has no place: the campaign takes neither e-mail address nor phone number; leave it out",
    ]


def test_every_field_that_cant_be_read_is_named_and_the_others_are_read() -> None:
    given, problems = read_given(
        {
            "to": 5,
            "occurred_at": "2026-11-01",
            "expires_in": "60",
            "recipients": [{"too": 1}, {"bob@example.com": 1}],
            "kei": 1,
            "bob@example.com": 1,
            "trace_id": "t-1",
        }
    )
    assert given.trace_id == "t-1"
    assert problems == [
        "to must be text, not a whole number",
        "occurred_at must be a time with its zone between the years 2000 and 2100, such as 2026-11-01T08:00:00Z",
        "expires_in must be a number, not text",
        "recipients[0]: object contains unknown field `too`",
        "kei is unknown; did you mean key?",
        "a field has a name that is none of a trigger's",
    ]


def test_an_address_as_a_field_of_a_recipient_is_not_shown() -> None:
    _, problems = read_given({"recipients": [{"bob@example.com": 1}]})
    assert problems == ["recipients[0]: a field has a name that is none of a recipient's"]


def test_from_text_numbers_and_times_are_read_too() -> None:
    given, problems = read_given({"expires_in": "60.5", "occurred_at": "2026-11-01T08:00:00Z"}, from_text=True)
    assert problems == []
    assert (given.expires_in, given.occurred_at) == (60.5, datetime(2026, 11, 1, 8, tzinfo=UTC))
