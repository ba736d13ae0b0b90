"""What an outage is an outage of. Pure."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from ajo_worker.dispatch.received import Campaign

DESTINATION, CAMPAIGN = "destination", "campaign"


def destination_of(campaign: Campaign) -> str:
    """The scope of a campaign's lane at its host: ``destination:LANE@HOST``."""
    return f"{DESTINATION}:{campaign.definition.lane}@{urlsplit(campaign.endpoint.url).netloc}"


def destinations_of(campaigns: Mapping[str, Campaign]) -> dict[str, str]:
    """Each campaign's destination."""
    return {name: destination_of(campaign) for name, campaign in campaigns.items()}


def scope_of_campaign(name: str) -> str:
    """The scope of one campaign: ``campaign:NAME``."""
    return f"{CAMPAIGN}:{name}"


def lane_of(scope: str) -> str | None:
    """The lane of a destination's scope; None for a campaign's."""
    kind, _, rest = scope.partition(":")
    return rest.partition("@")[0] if kind == DESTINATION else None
