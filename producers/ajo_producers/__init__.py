"""The SDK of ajo-dispatch: name a campaign, make a trigger, publish it.

    from ajo_producers import Campaigns, Publisher

    campaigns = Campaigns.load("campaigns")
    trigger = campaigns["order-shipped"].trigger(to="ada@example.com", context={"orderId": "A-1"}, key="A-1")
    with Publisher.from_env() as publisher:
        publisher.publish(trigger)

Importing this opens nothing and loads no client of a broker: that happens when a publisher connects. Each name is
imported when it is first used, so that ``ajo-dispatch`` need not wait for what its command has no use of.
"""

from typing import TYPE_CHECKING

from ajo_producers.first_use import at_first_use

if TYPE_CHECKING:
    from ajo_producers.campaigns.folder import DefinitionError, UnknownCampaignError
    from ajo_producers.contract.trigger import Recipient, Trigger
    from ajo_producers.publishing.async_publisher import AsyncPublisher
    from ajo_producers.publishing.campaign import Campaign, Campaigns
    from ajo_producers.publishing.checked import CheckedTrigger
    from ajo_producers.publishing.errors import InvalidTrigger, PublisherFull, PublishError, SettingError
    from ajo_producers.publishing.outgoing import Receipt
    from ajo_producers.publishing.publisher import Publisher
    from ajo_producers.publishing.stream import PublishReport

__version__ = "0.1.0"

__all__ = [
    "AsyncPublisher",
    "Campaign",
    "Campaigns",
    "CheckedTrigger",
    "DefinitionError",
    "InvalidTrigger",
    "PublishError",
    "PublishReport",
    "Publisher",
    "PublisherFull",
    "Receipt",
    "Recipient",
    "SettingError",
    "Trigger",
    "UnknownCampaignError",
]

_PLACES = {
    "campaigns.folder": ("DefinitionError", "UnknownCampaignError"),
    "contract.trigger": ("Recipient", "Trigger"),
    "publishing.async_publisher": ("AsyncPublisher",),
    "publishing.campaign": ("Campaign", "Campaigns"),
    "publishing.checked": ("CheckedTrigger",),
    "publishing.errors": ("InvalidTrigger", "PublisherFull", "PublishError", "SettingError"),
    "publishing.outgoing": ("Receipt",),
    "publishing.publisher": ("Publisher",),
    "publishing.stream": ("PublishReport",),
}


__getattr__ = at_first_use(__name__, _PLACES)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
