"""What an outage is an outage of, if not of one campaign (``scope_of_campaign``). Pure."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from ajo_worker.triggers.campaign import KnownCampaign

DESTINATION, TOKEN = "destination", "token"


def destination_of(campaign: KnownCampaign) -> str:
    """The scope of a campaign's lane at its host: ``destination:LANE@HOST``."""
    return f"{DESTINATION}:{campaign.definition.lane}@{urlsplit(campaign.endpoint.url).netloc}"


def destinations_of(campaigns: Mapping[str, KnownCampaign]) -> dict[str, str]:
    """Each campaign's destination."""
    return {name: destination_of(campaign) for name, campaign in campaigns.items()}


def scope_of_token(url: str) -> str:
    """The scope of the token endpoint at ``url``, without which nothing is sent: ``token:HOST``."""
    return f"{TOKEN}:{urlsplit(url).netloc}"


def is_token(scope: str) -> bool:
    """Whether it is a token endpoint's."""
    return scope.startswith(f"{TOKEN}:")


def lane_of(scope: str) -> str | None:
    """The lane of a destination's scope; None for any other."""
    kind, _, rest = scope.partition(":")
    return rest.partition("@")[0] if kind == DESTINATION else None
