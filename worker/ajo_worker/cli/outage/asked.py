"""What an operator means by a scope: the settings' campaigns, and what the ledger says is kept back."""

from collections.abc import Mapping
from typing import Annotated

import typer
from ajo_producers.campaigns.folder import load_definitions

from ajo_worker.cli import completion
from ajo_worker.cli.running import WrongSettings, finish
from ajo_worker.ledger.database import snapshot
from ajo_worker.outages import circuits
from ajo_worker.outages.known_scopes import UnknownScope, scopes_named
from ajo_worker.outages.scope import scope_of_token
from ajo_worker.settings import Settings
from ajo_worker.triggers.campaign import KnownCampaign, campaigns_of

Scope = Annotated[
    str,
    typer.Argument(
        metavar="SCOPE", help="A lane, a campaign's name, or a scope as listed.", autocompletion=completion.scopes
    ),
]


def campaigns_known(settings: Settings) -> Mapping[str, KnownCampaign]:
    """The campaigns of the settings' folder.

    Raises:
        WrongSettings: a definition is bad, or leads to a host that isn't allowed.
    """
    try:
        return campaigns_of(load_definitions(settings.campaigns), settings)
    except ValueError as bad:
        raise WrongSettings(str(bad)) from None


def scopes_meant(word: str, settings: Settings) -> list[str]:
    """What a word means now; see ``scopes_of``."""
    return scopes_of(word, campaigns_known(settings), finish(_kept_back(settings)), settings)


def scopes_of(word: str, campaigns: Mapping[str, KnownCampaign], kept_back: list[str], settings: Settings) -> list[str]:
    """What a word means, of these campaigns and of what is kept back.

    Raises:
        typer.BadParameter: nothing.
    """
    try:
        return scopes_named(word, campaigns, kept_back, scope_of_token(settings.token_url))
    except UnknownScope as unknown:
        raise typer.BadParameter(str(unknown), param_hint="SCOPE") from None


async def _kept_back(settings: Settings) -> list[str]:
    async with snapshot(settings.database_url.get_secret_value()) as connection:
        return await circuits.kept_back(connection)
