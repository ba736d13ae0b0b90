"""The body of the webhook's call has the documented shape."""

from uuid import UUID

from ajo_simulator.feedback.documents import document_of, instant, invented_id
from ajo_simulator.feedback.rules import Failure, FeedbackRules
from ajo_simulator.feedback.timeline import reports_of

from tests.support.feedback import acceptance


def test_a_departure_has_every_documented_field() -> None:
    [sent, _] = reports_of(FeedbackRules(), 1, acceptance())
    assert document_of(sent) == {
        "requestId": "r-1",
        "imsOrg": "ABC@AdobeOrg",
        "sandbox": {"id": invented_id("sandbox", "prod"), "name": "prod"},
        "channel": "email",
        "eventType": "message.feedback",
        "messageExecution": {
            "messageExecutionID": "UMA-r-1",
            "messageType": "transactional",
            "campaignID": "c-1",
            "campaignVersionID": invented_id("campaign version", "c-1"),
            "campaignType": "ApiTriggered",
        },
        "messageDeliveryFeedback": {
            "feedbackStatus": {"value": "sent"},
            "messageFailure": None,
            "messageExclusion": None,
            "retryCount": 0,
            "deliveryTimestamp": None,
        },
        "identityMap": {"email": [{"id": "person0@example.com", "primary": True}]},
    }


def test_a_bounce_says_why_and_an_sms_says_when() -> None:
    rules = FeedbackRules(channel="sms", bounce_share=1, bounce=Failure("sync", "Ignored", "25", "Admin Failure"))
    feedback = document_of(reports_of(rules, 1, acceptance())[-1])["messageDeliveryFeedback"]
    assert feedback == {
        "feedbackStatus": {"value": "bounce"},
        "messageFailure": {"category": "sync", "type": "Ignored", "code": "25", "reason": "Admin Failure"},
        "messageExclusion": None,
        "retryCount": 0,
        "deliveryTimestamp": "2026-11-03T10:00:00.000000Z",
    }


def test_an_invented_id_is_an_id_and_always_the_same_for_a_name() -> None:
    assert UUID(invented_id("sandbox", "prod")) == UUID(invented_id("sandbox", "prod"))
    assert len({invented_id("sandbox", "prod"), invented_id("sandbox", "dev"), invented_id("campaign", "prod")}) == 3


def test_an_instant_is_told_to_the_microsecond() -> None:
    assert instant(1_793_700_000.25) == "2026-11-03T10:00:00.250000Z"
