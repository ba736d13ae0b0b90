"""What the campaign endpoint says of a campaign.

Names are those of Adobe's OpenAPI description "Retrieve & filter Action Campaigns", v1.77, which
developer.adobe.com/journey-optimizer-apis has as campaigns-retrieve; it marks no field as required.
"""

import asyncio
from datetime import UTC, datetime
from typing import Any

import msgspec
from aiohttp import web

from ajo_simulator.answers import Reply, refusal
from ajo_simulator.scenario import Campaign, Scenario
from ajo_simulator.tokens import Tokens
from ajo_simulator.validation import Problem, check_caller, service_error

CAMPAIGNS = "/journey/campaigns/service/campaigns/"
ERRORS: dict[int, Problem] = {
    403: service_error(403, "Permission denied", "CJMCMP-0001-403"),
    404: service_error(404, "Requested object not found", "CJMCMP-4012-404"),
    500: service_error(500, "Internal error", "CJMCMP-0001-500"),
}
"""The codes of 403 and 500 are invented."""


async def reply(request: web.BaseRequest, scenario: Scenario, tokens: Tokens) -> Reply:
    """Answer a question about one campaign: what the scenario says of it, or that it is live."""
    valid = tokens.valid(request.headers.get("authorization", ""))
    if flaw := check_caller(request.headers, token_is_valid=valid):
        return refusal(flaw)
    campaign_id = request.path.removeprefix(CAMPAIGNS)
    if not campaign_id or "/" in campaign_id:
        return refusal(service_error(404, "not found"))
    campaign = next((one for one in scenario.campaign if one.id == campaign_id), Campaign(campaign_id))
    await asyncio.sleep(campaign.latency)
    if campaign.answer is not None:
        return refusal(ERRORS[campaign.answer])
    return Reply(200, msgspec.json.encode(document_of(campaign)))


def document_of(campaign: Campaign) -> dict[str, Any]:
    """A campaign as Adobe describes it; what the scenario doesn't say is left out."""
    schedule: dict[str, Any] = {}
    for edge, moment in (("start", campaign.start), ("end", campaign.end)):
        schedule[f"{edge}DateEnabled"] = moment is not None
        if moment is not None:
            schedule[f"{edge}Date"] = _instant(moment)
    known = {
        "name": campaign.name,
        "identityNamespace": campaign.namespace,
        "highThroughputMode": None if campaign.throughput is None else campaign.throughput == "high",
        "createNewProfile": campaign.create_profiles,
    }
    told = {name: value for name, value in known.items() if value is not None}
    return {
        "campaignId": campaign.id,
        "status": campaign.status,
        "campaignType": "ApiTriggered",
        "schedule": schedule,
        **told,
    }


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
