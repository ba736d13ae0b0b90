"""Campaigns by name, and triggers made of them as an application does it."""

from pathlib import Path
from typing import Any

import pytest
from ajo_producers import Campaigns, DefinitionError, InvalidTrigger, Recipient, UnknownCampaignError

from tests.support.definitions import write_definitions


@pytest.fixture
def campaigns(tmp_path: Path) -> Campaigns:
    return Campaigns.load(write_definitions(tmp_path / "campaigns"))


def test_campaigns_are_a_mapping_by_name(campaigns: Campaigns) -> None:
    assert sorted(campaigns) == ["flash-sale", "order-shipped"]
    assert len(campaigns) == 2
    assert repr(campaigns["flash-sale"]) == "Campaign(flash-sale, high-throughput)"
    assert "nothing" not in campaigns
    assert campaigns.get("nothing") is None


def test_an_unknown_campaign_names_the_nearest(campaigns: Campaigns) -> None:
    with pytest.raises(UnknownCampaignError) as caught:
        campaigns["order-shiped"]
    assert str(caught.value) == "no campaign is called 'order-shiped'; did you mean order-shipped?"


def test_an_address_in_place_of_a_campaigns_name_is_not_shown(campaigns: Campaigns) -> None:
    with pytest.raises(UnknownCampaignError) as caught:
        campaigns["ada@example.com"]
    assert str(caught.value) == "that is no campaign's name; known: flash-sale, order-shipped"


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="no such folder"):
        Campaigns.load(tmp_path / "nowhere")


def test_the_key_makes_the_request_id(campaigns: Campaigns) -> None:
    def make() -> Any:
        return campaigns["order-shipped"].trigger(to="ada@example.com", context={"orderId": "A-1"}, key="A-1")

    assert make().request_id == make().request_id


def test_what_comes_before_a_campaigns_start_is_taken_where_workers_let_it_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_definitions(tmp_path / "campaigns")
    path = folder / "order-shipped.toml"
    path.write_text(f"start = 2090-01-01T00:00:00Z\n{path.read_text()}", encoding="utf-8")

    def make(**options: Any) -> None:
        Campaigns.load(folder, **options)["order-shipped"].trigger(to="ada@example.com", context={"orderId": "A-1"})

    with pytest.raises(InvalidTrigger, match="order-shipped starts at 2090"):
        make()
    make(before_start="wait")
    monkeypatch.setenv("AJO_BEFORE_START", "wait")
    make()
    with pytest.raises(InvalidTrigger, match="order-shipped starts at 2090"):
        make(before_start="refuse")


@pytest.mark.parametrize(
    "recipients",
    [
        [
            Recipient(
                user_id="u1@example.com", channel_data={"emailAddress": "ada@example.com"}, context={"orderId": "A-1"}
            )
        ],
        [{"to": "ada@example.com", "user_id": "u1@example.com", "context": {"orderId": "A-1"}}],
    ],
)
def test_recipients_are_given_as_such_or_as_mappings(campaigns: Campaigns, recipients: list[Any]) -> None:
    checked = campaigns["order-shipped"].trigger(recipients=recipients)
    assert [recipient.user_id for recipient in checked.trigger.recipients] == ["u1@example.com"]
    assert checked.trigger.recipients[0].channel_data == {"emailAddress": "ada@example.com"}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"recipients": 5}, "recipients must be a list of recipients"),
        ({"recipients": ["ada@example.com"]}, "recipients[0] must be an object, not text"),
        ({"recipients": [{"user": 1}]}, "recipients[0]: object contains unknown field `user`"),
        ({"to": "ada@example.com", "context": "A-1"}, "context must be an object with orderId"),
        ({"to": 5, "context": {"orderId": 1}}, "to must be text, in quotation marks"),
        ({"to": "a@example.com", "context": {"orderId": {1, 2}}}, "context.orderId must be of type string, not set"),
        ({"to": "a@example.com", "context": {"orderId": "\ud800"}}, "can't be written as JSON"),
    ],
)
def test_wrong_python_values_are_problems_and_not_crashes(
    campaigns: Campaigns, arguments: dict[str, Any], expected: str
) -> None:
    with pytest.raises(InvalidTrigger) as caught:
        campaigns["order-shipped"].trigger(**arguments)
    assert expected in str(caught.value)
    assert "example.com" not in str(caught.value)
