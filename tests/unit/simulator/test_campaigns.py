"""What the campaign endpoint says of a campaign, as a value."""

from typing import Any

import pytest
from ajo_simulator.campaigns import document_of
from ajo_simulator.scenario import parse_scenario

OPEN = {"startDateEnabled": False, "endDateEnabled": False}
NOTHING = {"campaignId": "a", "status": "LIVE", "campaignType": "ApiTriggered", "schedule": OPEN}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ("", {}),
        ("status = 'STOPPED'", {"status": "STOPPED"}),
        ("name = 'Order shipped'", {"name": "Order shipped"}),
        ("namespace = 'Email'", {"identityNamespace": "Email"}),
        ("throughput = 'high'", {"highThroughputMode": True}),
        ("throughput = 'standard'", {"highThroughputMode": False}),
        ("create_profiles = false", {"createNewProfile": False}),
        (
            "end = 2027-01-01T00:30:00+01:00",
            {"schedule": {**OPEN, "endDateEnabled": True, "endDate": "2026-12-31T23:30:00.000000Z"}},
        ),
    ],
)
def test_a_campaign_has_adobes_names_and_nothing_that_the_scenario_does_not_say(
    fields: str, told: dict[str, Any]
) -> None:
    [campaign] = parse_scenario(f"[[campaign]]\nid = 'a'\n{fields}\n").campaign
    assert document_of(campaign) == NOTHING | told
