"""Campaigns as a worker knows them: their definitions, with what follows from these and the settings. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import is_

from ajo_producers.campaigns.definition import Definition
from ajo_producers.campaigns.payload import PayloadCheck
from ajo_producers.contract.trigger import Trigger
from msgspec import structs

from ajo_worker.api.request import Endpoint, endpoint_of
from ajo_worker.settings import Settings

CAMPAIGN = "campaign"


def scope_of_campaign(name: str) -> str:
    """The scope of one campaign, of its rate limit and of its outages alike: ``campaign:NAME``."""
    return f"{CAMPAIGN}:{name}"


@dataclass(frozen=True, slots=True)
class KnownCampaign:
    """A definition with what a worker derives from it once; ``attempt_timeout`` None: to the budget's end."""

    definition: Definition
    check: PayloadCheck
    endpoint: Endpoint
    budget: float
    attempt_timeout: float | None = None
    holds_ambiguous: bool = False

    @property
    def sends(self) -> tuple[str, ...]:
        """Call digests of the triggers that may be sent by this definition; those without one (``""``) come first."""
        return ("", self.check.call_digest, *self.definition.replaces)


def campaign_of(campaigns: Mapping[str, KnownCampaign], name: str, digest: str) -> KnownCampaign | None:
    """The campaign that a trigger is to be sent by: its own, unless the definition here leads to other calls."""
    campaign = campaigns.get(name)
    return campaign if campaign is not None and digest in campaign.sends else None


def campaigns_of(definitions: Mapping[str, Definition], settings: Settings) -> dict[str, KnownCampaign]:
    """Definitions with what the worker derives from them.

    Raises:
        ForeignHost: a definition's endpoint is not on the allow-list.
    """
    return {
        name: KnownCampaign(
            definition=definition,
            check=PayloadCheck(definition),
            endpoint=endpoint_of(
                definition,
                base_url=settings.base_url,
                allowed_hosts=settings.allowed_hosts,
                client_id=settings.client_id,
                org_id=settings.org_id,
            ),
            budget=definition.budget or settings.budget_seconds,
            attempt_timeout=definition.attempt_timeout or settings.attempt_timeout,
            holds_ambiguous=(definition.on_ambiguous or settings.on_ambiguous) == "hold",
        )
        for name, definition in definitions.items()
    }


def longest_budget(settings: Settings, campaigns: Mapping[str, KnownCampaign]) -> float:
    """How long a call may be under way, in seconds: a probe waits for all of its campaign's budget."""
    return max([settings.budget_seconds, *(campaign.budget for campaign in campaigns.values())])


def as_sent(trigger: Trigger, campaign: KnownCampaign | None) -> Trigger:
    """The trigger with its campaign's defaults where it brings no value, and without blanks around addresses."""
    if campaign is None:
        return trigger
    as_sent = campaign.check.as_sent
    filled = tuple([as_sent(recipient) for recipient in trigger.recipients])
    if all(map(is_, filled, trigger.recipients)):
        return trigger
    return structs.replace(trigger, recipients=filled)
