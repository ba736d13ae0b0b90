"""What a trigger's admission says of it, and whose turn it is."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from ajo_producers.campaigns.call_digest import call_digest
from ajo_producers.campaigns.definition import BeforeStart
from ajo_producers.campaigns.payload import PayloadCheck
from ajo_producers.contract.trigger import Recipient, Trigger
from ajo_worker.api.request import Endpoint
from ajo_worker.campaigns.live_campaign import LiveCampaign, LiveStatus
from ajo_worker.triggers.campaign import KnownCampaign, campaign_of
from ajo_worker.triggers.received import Received
from ajo_worker.triggers.refusal import Refusal, refusal
from ajo_worker.triggers.urgency import Urgency
from msgspec import structs

from tests.support.definitions import definition

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FINE = Recipient(
    user_id="ada@example.com", channel_data={"emailAddress": "ada@example.com"}, context={"orderId": "A-1"}
)


def received(recipient: Recipient = FINE, expires_at: datetime | None = None, **facts: Any) -> Received:
    one = definition(**facts)
    campaign = KnownCampaign(one, PayloadCheck(one), Endpoint("https://api.example.com", {}), 60.0, 20.0)
    trigger = Trigger(request_id=uuid4(), campaign=one.name, recipients=(recipient,), expires_at=expires_at)
    return Received(trigger, b"", uuid4(), "shop", NOW, 0.0, NOW, campaign, "standard")


@pytest.mark.parametrize(
    ("given", "before_start", "expected"),
    [
        (received(), "refuse", None),
        (received(Recipient(user_id="ada@example.com")), "refuse", Refusal("rejected", "invalid-payload")),
        (received(structs.replace(FINE, user_id="  ")), "refuse", Refusal("rejected", "invalid-payload")),
        (received(structs.replace(FINE, user_id="customer-1")), "refuse", Refusal("rejected", "invalid-payload")),
        (received(expires_at=NOW), "refuse", Refusal("expired", "expires-at")),
        (received(expires_at=NOW + HOUR), "refuse", None),
        (received(start=NOW, end=NOW + HOUR), "refuse", None),
        (received(start=NOW + HOUR), "refuse", Refusal("rejected", "before-start")),
        (received(start=NOW + HOUR), "wait", Refusal("parked", "before-start", NOW + HOUR)),
        (received(end=NOW), "wait", Refusal("rejected", "campaign-ended")),
        (received(start=NOW + HOUR, expires_at=NOW), "wait", Refusal("expired", "expires-at")),
        (structs.replace(received(), campaign=None), "refuse", Refusal("parked", "definition-unknown")),
        (structs.replace(received(expires_at=NOW), campaign=None), "refuse", Refusal("expired", "expires-at")),
    ],
)
def test_a_trigger_that_must_not_be_sent_now_says_why(
    given: Received, before_start: BeforeStart, expected: Refusal | None
) -> None:
    assert refusal(given, NOW, before_start) == expected


OWN, OTHER = call_digest(definition()), call_digest(definition(sandbox="stage"))


@pytest.mark.parametrize(
    ("name", "digest", "facts", "sent"),
    [
        ("order-shipped", OWN, {}, True),
        ("order-shipped", OWN, {"rate_limit": 3.0, "priority": "urgent"}, True),
        ("order-shipped", "", {}, True),
        ("order-shipped", OTHER, {}, False),
        ("order-shipped", OTHER, {"replaces": (OTHER,)}, True),
        ("order-shipped", OTHER, {"sandbox": "stage"}, True),
        ("order-sent", OWN, {}, False),
        ("order-sent", "", {}, False),
    ],
)
def test_a_trigger_is_sent_by_its_own_definition_or_one_that_replaces_it(
    name: str, digest: str, facts: dict[str, Any], sent: bool
) -> None:
    here = received(**facts).campaign
    assert here is not None
    assert campaign_of({"order-shipped": here}, name, digest) is (here if sent else None)


@pytest.mark.parametrize(
    ("status", "reason"),
    [("live", None), ("unknown", None), ("ended", "campaign-ended"), ("not-live", "campaign-not-live")],
)
def test_what_journey_optimizer_says_of_the_campaign_stops_a_call(status: LiveStatus, reason: str | None) -> None:
    found = refusal(received(), NOW, "refuse", LiveCampaign(status=status))
    assert (found and found.reason) == reason


@pytest.mark.parametrize(
    ("priority", "resumed", "urgency"),
    [
        ("normal", False, Urgency.FIRST),
        ("normal", True, Urgency.RESUMED),
        ("urgent", False, Urgency.URGENT),
        ("urgent", True, Urgency.URGENT),
    ],
)
def test_what_is_urgent_goes_first_and_what_was_parked_before_what_is_new(
    priority: str, resumed: bool, urgency: Urgency
) -> None:
    given = received(priority=priority)
    assert (
        Received(**{**{name: getattr(given, name) for name in given.__slots__}, "resumed": resumed}).urgency == urgency
    )
