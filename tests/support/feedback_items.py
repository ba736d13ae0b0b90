"""Feedback in the shapes that Adobe documents, about invented people; a secret and an address that nobody may find."""

import json
from datetime import UTC, datetime
from typing import Any

from ajo_worker.recipients import hashing_key

ADDRESS = "ada.lovelace@example.com"
PHONE = "+49 151 23456789"
SECRET = "a secret that is never shown, of 32 bytes and more"
HASH_KEY = "k-of-hashes"
KEY = hashing_key(HASH_KEY)
CAMPAIGN_ID = "16f24a15-7e21-477c-848a-d5695ca7f137"
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
REASON = f"550 5.1.1 <{ADDRESS}>: no such user; call {PHONE}"


def webhook_item(status: str = "sent", *, at: str | None = None, **changes: Any) -> dict[str, Any]:
    """An object of the webhook; ``changes``: execution, request, address, campaign(_type), failure, exclusion."""
    failure = changes.get("failure")
    return {
        "requestId": changes.get("request", "8NoByJneShCdCGRnrGS1t1m3CdA73dhR"),
        "imsOrg": "org",
        "sandbox": {"id": "068abf40-575e-11ea-8512-9b1bfdb82603", "name": "prod"},
        "channel": "email",
        "eventType": "message.feedback",
        "messageExecution": {
            "messageExecutionID": changes.get("execution", "HUMA-26362805"),
            "messageType": "transactional",
            "campaignID": changes.get("campaign", CAMPAIGN_ID),
            "campaignVersionID": "2ca10c10-56dd-4505-87cd-fa5da84e7a5d",
        }
        | ({"campaignType": changes["campaign_type"]} if "campaign_type" in changes else {}),
        "messageDeliveryFeedback": {
            "feedbackStatus": {"value": status},
            "offers": None,
            "messageExclusion": changes.get("exclusion"),
            "messageFailure": failure,
            "retryCount": changes.get("retries", 0),
            "deliveryTimestamp": at,
        },
        "identityMap": {"email": [{"id": changes.get("address", ADDRESS), "primary": True}]},
    }


EXCLUSION = {"code": "CJMRT-050030-422", "reason": "EmailNotAllowed"}
FAILURE = {"category": "async", "type": "Hard", "code": "25", "reason": REASON}


def dataset_row(status: str = "sent", at: Any = "2026-11-25T12:00:00Z", **changes: Any) -> dict[str, Any]:
    """A row of the message feedback dataset, nested as in JSON lines."""
    address = changes.get("address", ADDRESS)
    return {
        "_id": "invented",
        "timestamp": at,
        "identityMap": {"email": [{"id": address, "primary": True}]},
        "_experience": {
            "customerJourneyManagement": {
                "emailChannelContext": {"address": address, "namespace": "email"},
                "messageExecution": {
                    "messageExecutionID": changes.get("execution", "HUMA-26362805"),
                    "campaignID": changes.get("campaign", CAMPAIGN_ID),
                },
                "messageProfile": {
                    "messageProfileID": "p-1",
                    "channel": {"_id": "https://ns.adobe.com/xdm/channels/email"},
                },
                "messageDeliveryfeedback": {
                    "feedbackStatus": status,
                    "retryCount": changes.get("retries", 0),
                    "messageFailure": changes.get("failure"),
                }
                | ({"messageExclusion": changes["exclusion"]} if "exclusion" in changes else {}),
            }
        },
    }


def dotted(row: dict[str, Any], separator: str = ".") -> dict[str, str]:
    """The same row as a CSV has it: one column a value, with the names of its path in its own; maps as JSON."""
    found: dict[str, str] = {}

    def walk(path: str, value: Any) -> None:
        if isinstance(value, dict) and path != "identityMap":
            for name, inner in value.items():
                walk(f"{path}{separator}{name}" if path else name, inner)
        else:
            found[path] = json.dumps(value) if isinstance(value, dict) else "" if value is None else str(value)

    walk("", row)
    return found
