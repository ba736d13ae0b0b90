"""The SDK of ajo-dispatch: name a campaign, make a trigger, publish it.

    from ajo_producers import Campaigns, Publisher

    campaigns = Campaigns.load("campaigns")
    trigger = campaigns["order-shipped"].trigger(to="ada@example.com", context={"orderId": "A-1"}, key="A-1")
    with Publisher.from_env() as publisher:
        publisher.publish(trigger)

Importing this opens nothing and loads no client of a broker: that happens when a publisher connects.
"""

from ajo_producers.campaigns.folder import DefinitionError, UnknownCampaignError
from ajo_producers.contract.trigger import Recipient, Trigger
from ajo_producers.publishing.campaign import Campaign, Campaigns
from ajo_producers.publishing.checked import CheckedTrigger
from ajo_producers.publishing.errors import InvalidTrigger, PublishError, SettingError
from ajo_producers.publishing.outgoing import Receipt
from ajo_producers.publishing.publisher import Publisher, PublishReport

__all__ = [
    "Campaign",
    "Campaigns",
    "CheckedTrigger",
    "DefinitionError",
    "InvalidTrigger",
    "PublishError",
    "PublishReport",
    "Publisher",
    "Receipt",
    "Recipient",
    "SettingError",
    "Trigger",
    "UnknownCampaignError",
]
