"""Asking Adobe for one campaign: where to, and what came back."""

import asyncio
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urlsplit, urlunsplit

import httpx2
import msgspec
from ajo_producers.campaigns.definition import Definition
from msgspec import structs

from ajo_worker.api.answer import Answer
from ajo_worker.api.classify import classify
from ajo_worker.api.request import Endpoint, call_of, endpoint_of
from ajo_worker.campaigns.live_campaign import LiveCampaign, read_status
from ajo_worker.settings import Settings

CAMPAIGNS = "/journey/campaigns/service/campaigns/"
ANSWER_SECONDS = 15.0
"""What a whole answer gets, from the question on."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Nothing was learnt of a campaign. ``detail`` is a status with Adobe's code, or a fault's name: nothing secret."""

    reason: Literal["forbidden", "not-found", "failed"]
    detail: str


def question_of(definition: Definition, settings: Settings) -> Endpoint:
    """Where to ask for a definition's campaign, with the headers of its attempts.

    Raises:
        ForeignHost: the host of the definition's endpoint is not on the allow-list.
    """
    parts = urlsplit(definition.endpoint)._replace(path=CAMPAIGNS + quote(definition.campaign_id, safe=""))
    return endpoint_of(
        structs.replace(definition, endpoint=urlunsplit(parts)),
        base_url=settings.base_url,
        allowed_hosts=settings.allowed_hosts,
        client_id=settings.client_id,
        org_id=settings.org_id,
    )


async def ask(question: Endpoint, client: httpx2.AsyncClient, token: str) -> LiveCampaign | Unreadable:
    """Ask once, for ``ANSWER_SECONDS`` at most. Never raises."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            answer = await client.get(question.url, headers=call_of(question, b"", token).headers)
    except Exception as fault:  # noqa: BLE001 - whatever a client raises, nobody who sends may notice
        return Unreadable("failed", type(fault).__name__)
    if answer.status_code != 200:  # noqa: PLR2004 - HTTP's number for it
        return _refused(answer)
    try:
        return read_status(msgspec.json.decode(answer.content))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return Unreadable("failed", "status 200, and no JSON")


def _refused(answer: httpx2.Response) -> Unreadable:
    verdict = classify(Answer(answer.status_code, answer.headers, answer.content, 0, 0), ambiguous_statuses=frozenset())
    detail = f"status {answer.status_code}" + (f", {verdict.error_code}" if verdict.error_code else "")
    match answer.status_code:
        case 403:
            return Unreadable("forbidden", detail)
        case 404:
            return Unreadable("not-found", detail)
    return Unreadable("failed", detail)
