"""What operators may call a scope."""

import pytest
from ajo_producers.campaigns.payload import PayloadCheck
from ajo_worker.api.request import Endpoint
from ajo_worker.outages.known_scopes import UnknownScope, campaigns_in, scopes_named
from ajo_worker.outages.scope import lane_of
from ajo_worker.triggers.campaign import KnownCampaign

from tests.support.definitions import definition


def campaign(name: str, lane: str, host: str) -> KnownCampaign:
    one = definition(name=name, lane=lane)
    return KnownCampaign(one, PayloadCheck(one), Endpoint(f"https://{host}/executions", {}), 60.0, 20.0)


CAMPAIGNS = {
    "order-shipped": campaign("order-shipped", "standard", "api.example.com"),
    "refund": campaign("refund", "standard", "other.example.com"),
    "flash-sale": campaign("flash-sale", "high-throughput", "api.example.com"),
}
OLD = "destination:standard@old.example.com"
GONE = "campaign:flash"
IMS, OLD_IMS = "token:ims.example.com", "token:old-ims.example.com"
HERE, THERE = "destination:standard@api.example.com", "destination:standard@other.example.com"


@pytest.mark.parametrize(
    ("word", "scopes"),
    [
        ("standard", [HERE, THERE]),
        ("high-throughput", ["destination:high-throughput@api.example.com"]),
        ("refund", ["campaign:refund"]),
        ("campaign:refund", ["campaign:refund"]),
        (HERE, [HERE]),
        ("standard@other.example.com", [THERE]),
    ],
)
def test_a_lane_a_campaign_or_a_scope_is_known_by_its_name(word: str, scopes: list[str]) -> None:
    assert scopes_named(word, CAMPAIGNS, [], IMS) == scopes
    assert scopes_named(word, CAMPAIGNS, scopes, IMS) == scopes


@pytest.mark.parametrize(
    ("word", "scopes"),
    [
        ("standard", [HERE, THERE, OLD]),
        ("standard@old.example.com", [OLD]),
        (OLD, [OLD]),
        ("flash", [GONE]),
        ("refund", ["campaign:refund"]),
    ],
)
def test_what_is_kept_back_is_known_though_its_host_or_campaign_is_defined_no_longer(
    word: str, scopes: list[str]
) -> None:
    assert scopes_named(word, CAMPAIGNS, [OLD, GONE], IMS) == scopes


@pytest.mark.parametrize(
    ("word", "kept_back", "scopes"),
    [
        ("token", [], [IMS]),
        (IMS, [], [IMS]),
        ("ims.example.com", [IMS], [IMS]),
        ("token", [OLD_IMS], [IMS, OLD_IMS]),
        (OLD_IMS, [OLD_IMS], [OLD_IMS]),
        ("token", ["campaign:token"], ["campaign:token"]),
    ],
)
def test_the_token_endpoint_is_known_by_its_host_and_as_token(
    word: str, kept_back: list[str], scopes: list[str]
) -> None:
    assert scopes_named(word, CAMPAIGNS, kept_back, IMS) == scopes


@pytest.mark.parametrize("word", ["", "nothing", OLD_IMS, "campaign:", "destination:standard@elsewhere.example.com"])
def test_of_another_word_it_is_said_what_there_is(word: str) -> None:
    with pytest.raises(UnknownScope, match="campaign:refund"):
        scopes_named(word, CAMPAIGNS, [OLD], IMS)


def test_a_scope_keeps_back_the_campaigns_in_it() -> None:
    assert campaigns_in(HERE, CAMPAIGNS) == ["order-shipped"]
    assert campaigns_in("campaign:refund", CAMPAIGNS) == ["refund"]
    assert campaigns_in(GONE, CAMPAIGNS) == ["flash"], "what is parked for it is shown, though it has another name now"
    assert campaigns_in(IMS, CAMPAIGNS) == list(CAMPAIGNS), "nothing is sent without a token"
    assert (lane_of(HERE), lane_of("campaign:refund")) == ("standard", None)
