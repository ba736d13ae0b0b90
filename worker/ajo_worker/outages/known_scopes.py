"""The scopes that operators can name: a lane, a campaign, or a scope as reports show it. Pure."""

from collections.abc import Iterable, Mapping

from ajo_worker.dispatch.received import Campaign
from ajo_worker.outages.scope import destination_of, scope_of_campaign


class UnknownScope(ValueError):  # noqa: N818 - says what it found
    """No definition has such a lane, destination or campaign."""


def campaigns_in(scope: str, campaigns: Mapping[str, Campaign]) -> list[str]:
    """The campaigns that a scope keeps back."""
    return [
        name for name, campaign in campaigns.items() if scope in (destination_of(campaign), scope_of_campaign(name))
    ]


def scopes_named(word: str, campaigns: Mapping[str, Campaign]) -> list[str]:
    """The scopes that a word means: all destinations of a lane, or one scope.

    Raises:
        UnknownScope: it means none.
    """
    destinations = {destination_of(campaign): campaign.definition.lane for campaign in campaigns.values()}
    known = [*destinations, *map(scope_of_campaign, campaigns)]
    found = [scope for scope, lane in destinations.items() if word == lane]
    found += [scope for scope in known if word in (scope, scope.partition(":")[2])]
    if not found:
        raise UnknownScope(f"{word!r} is neither a lane nor a campaign that is defined here: {_listed(known)}")
    return list(dict.fromkeys(found))


def _listed(scopes: Iterable[str]) -> str:
    return ", ".join(sorted(scopes)) or "there are no definitions"
