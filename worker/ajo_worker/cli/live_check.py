"""Asks Adobe for campaigns and compares them with their definitions; ``campaigns check --live`` finds it here."""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import asdict

import httpx2
import msgspec
import typer
from ajo_producers.campaigns.definition import Definition
from ajo_producers.campaigns.live import Compared

from ajo_worker.api.request import ForeignHost
from ajo_worker.api.tls import tls_context
from ajo_worker.api.token_answer import FetchFailed
from ajo_worker.api.token_fetch import token_client, token_fetch
from ajo_worker.campaigns.differences import differences
from ajo_worker.campaigns.live_campaign import LiveCampaign
from ajo_worker.campaigns.question import Unreadable, ask, question_of
from ajo_worker.cli.running import WrongSettings, finish, read_settings, ways_of
from ajo_worker.settings import Settings, missing_credentials

AT_ONCE = 8
"""Questions under way together, at most."""


def check_live(definitions: Sequence[Definition]) -> list[Compared]:
    """Ask for the campaign of each definition, whatever AJO_CAMPAIGN_STATUS says, and compare.

    Raises:
        WrongSettings: a setting is bad, or the credential isn't set, or AJO_CA_FILE or a proxy can't be used.
        typer.TyperException: the token endpoint gives none.
    """
    settings = read_settings()
    if missing := missing_credentials(settings):
        raise WrongSettings(f"--live asks Adobe with the worker's credential: {missing}")
    ways_of(settings)
    try:
        tls = tls_context(settings)
    except OSError as fault:
        raise WrongSettings(str(fault)) from None
    return finish(_compare_all(definitions, settings, tls))


async def _compare_all(definitions: Sequence[Definition], settings: Settings, tls: ssl.SSLContext) -> list[Compared]:
    turns = asyncio.Semaphore(AT_ONCE)
    async with token_client(settings, tls) as client:
        try:
            token = await token_fetch(settings, client)()
        except FetchFailed as failed:
            raise typer.TyperException(str(failed)) from None
        return await asyncio.gather(*(_compare(one, settings, client, token.text, turns) for one in definitions))


async def _compare(
    definition: Definition, settings: Settings, client: httpx2.AsyncClient, token: str, turns: asyncio.Semaphore
) -> Compared:
    try:
        question = question_of(definition, settings)
    except ForeignHost as foreign:
        return Compared(name=definition.name, problem=str(foreign).removeprefix(f"campaign {definition.name}: "))
    async with turns:
        found = await ask(question, client, token)
    if isinstance(found, Unreadable):
        return Compared(name=definition.name, problem=_explain(found, definition))
    return Compared(name=definition.name, live=_told(found), differences=tuple(differences(definition, found)))


def _explain(found: Unreadable, definition: Definition) -> str:
    match found.reason:
        case "forbidden":
            why = "the credential may not read campaigns: an administrator can give it that permission"
        case "not-found":
            why = (
                f"sandbox {definition.sandbox} has no campaign {definition.campaign_id}, or it was never activated: "
                "look there, and import its cURL sample again"
            )
        case _:
            why = "Journey Optimizer gave no answer that can be read: try again"
    return f"{why} ({found.detail})"


def _told(live: LiveCampaign) -> dict[str, str | bool | None]:
    return msgspec.convert(msgspec.to_builtins(asdict(live)), dict[str, str | bool | None])
