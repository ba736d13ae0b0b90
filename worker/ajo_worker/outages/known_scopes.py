"""The scopes that operators can name: a lane, a campaign, the token endpoint, or a scope as reports show it. Pure.

Besides those of the definitions there are scopes whose circuit is not closed: their lane, host or campaign may have
been renamed, and only an operator can let them go on then.
"""

from collections.abc import Collection, Iterable, Mapping

from ajo_worker.outages.scope import TOKEN, destination_of, is_token, lane_of
from ajo_worker.triggers.campaign import CAMPAIGN, KnownCampaign, scope_of_campaign


class UnknownScope(ValueError):  # noqa: N818 - says what it found
    """Neither a definition, nor a setting, nor an outage has such a lane, destination, campaign or token endpoint."""


def campaigns_in(scope: str, campaigns: Mapping[str, KnownCampaign]) -> list[str]:
    """The campaigns that a scope keeps back; a campaign's own scope also if it is defined no longer."""
    kind, _, name = scope.partition(":")
    if kind == CAMPAIGN:
        return [name]
    if kind == TOKEN:
        return list(campaigns)
    return [name for name, campaign in campaigns.items() if scope == destination_of(campaign)]


def scopes_named(
    word: str, campaigns: Mapping[str, KnownCampaign], kept_back: Collection[str], token_scope: str
) -> list[str]:
    """The scopes that a word means: all destinations of a lane, or one scope; ``kept_back`` are those not closed.

    ``token`` is the token endpoint, unless a campaign has that name.

    Raises:
        UnknownScope: it means none.
    """
    defined = [*map(destination_of, campaigns.values()), *map(scope_of_campaign, campaigns), token_scope]
    known = list(dict.fromkeys([*defined, *sorted(kept_back)]))
    found = [scope for scope in known if word and word == lane_of(scope)]
    found += [scope for scope in known if word in (scope, scope.partition(":")[2])]
    if not found and word == TOKEN:
        found = [scope for scope in known if is_token(scope)]
    if not found:
        raise UnknownScope(
            f"{word!r} is no lane, campaign or token endpoint that is defined here or kept back: {_listed(known)}"
        )
    return list(dict.fromkeys(found))


def _listed(scopes: Iterable[str]) -> str:
    return ", ".join(sorted(scopes)) or "there are no definitions, and nothing is kept back"
