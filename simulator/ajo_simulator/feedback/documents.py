"""An event as the webhook gets it.

Names and shape are those of Adobe's page "Create feedback webhooks for API triggered campaigns" in the guide to
Journey Optimizer. The ids of sandbox and campaign version are invented, and the same for the same name.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from ajo_simulator.feedback.message import Report


def document_of(report: Report) -> dict[str, Any]:
    """The body of the webhook's call."""
    message, acceptance = report.message, report.message.acceptance
    failure = report.failure
    return {
        "requestId": message.told_request_id,
        "imsOrg": acceptance.organization,
        "sandbox": {"id": invented_id("sandbox", acceptance.sandbox), "name": acceptance.sandbox},
        "channel": message.channel,
        "eventType": "message.feedback",
        "messageExecution": {
            "messageExecutionID": acceptance.execution_id,
            "messageType": "transactional",
            "campaignID": acceptance.campaign_id,
            "campaignVersionID": invented_id("campaign version", acceptance.campaign_id),
            "campaignType": "ApiTriggered",
        },
        "messageDeliveryFeedback": {
            "feedbackStatus": {"value": report.status},
            "messageFailure": failure
            and {
                "category": failure.category,
                "type": failure.type,
                "code": failure.code,
                "reason": failure.reason,
            },
            "messageExclusion": None,
            "retryCount": report.retry_count,
            "deliveryTimestamp": instant(report.happened_at) if message.timestamps else None,
        },
        "identityMap": {message.recipient.namespace: [{"id": message.recipient.user_id, "primary": True}]},
    }


def instant(seconds: float) -> str:
    """Seconds since 1970 as ISO 8601 in UTC, to the microsecond."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def invented_id(kind: str, name: str) -> str:
    """An id that looks like Adobe's, always the same for a name."""
    return str(uuid5(NAMESPACE_URL, f"https://example.com/{kind}/{name}"))
