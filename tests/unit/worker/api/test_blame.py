"""Whose fault a refusal is: by Adobe's codes, by what an answer says in words, and never by what we sent ourselves."""

import json

import pytest
from ajo_worker.api.answer import Answer
from ajo_worker.api.blame import Blame
from ajo_worker.api.classify import SentCall, classify
from ajo_worker.api.verdict import Verdict
from hypothesis import given
from hypothesis import strategies as st


def verdict(status: int, document: object, sent: bytes = b"") -> Verdict:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return classify(Answer(status, {}, body, 0.1, 0.2), ambiguous_statuses=frozenset(), asked=SentCall(body=sent))


@pytest.mark.parametrize("status", [400, 403, 404, 422])
@pytest.mark.parametrize(
    "title",
    [
        "Cannot find the Profile",
        "Profile not found",
        "Profile with the given identity does not exist",
        "No profile was found: no such profile",
        "Could not find profile for recipient",
        "Can't find the profile",
        "The recipient is unknown",
        "Invalid recipient",
        "Unknown recipients in the request",
        "recipients[0].userId is invalid",
        "The email address is not valid",
        "Invalid e-mail",
        "emailAddress: malformed",
        "Invalid mobile phone number",
        "Invalid phone number format",
        "Invalid push token",
        "Push token missing in profile",
        "Recipient has no consent for this channel",
        "Consent not given",
        "The profile has opted out",
        "recipient is unsubscribed",
        "Address is on the suppression list",
        "recipient deny-listed",
        "PROFILE\n NOT  FOUND",
        "Profile not found in the profile store",
    ],
)
@pytest.mark.parametrize("shape", ["title", "message", "report", "text"])
def test_what_names_a_recipient_and_what_is_wrong_with_it_is_the_recipient_s(
    status: int, title: str, shape: str
) -> None:
    shapes: dict[str, object] = {
        "title": {"type": "https://ns.adobe.com/aep/errors/X-1-404", "title": title},
        "message": {"error_code": "404000", "message": title},
        "report": {"title": "Bad Request", "report": {"additionalContext": {"errors": [{"why": title}]}}},
        "text": title.encode(),
    }
    found = verdict(status, shapes[shape])
    assert (found.outcome, found.blame, found.reason) == ("refused", "recipient", "recipient-refused")


@pytest.mark.parametrize(
    ("status", "title"), [(404, "User not found"), (400, "Unknown user"), (422, "No such customer")]
)
def test_a_user_is_a_recipient_but_at_a_403(status: int, title: str) -> None:
    assert verdict(status, {"title": title}).blame == "recipient"
    assert verdict(403, {"title": title}).blame == "campaign"


@pytest.mark.parametrize(
    ("status", "title"),
    [
        (400, "Campaign is not live"),
        (400, "The campaign was stopped"),
        (404, "Cannot find the campaign"),
        (404, "Campaign not found"),
        (400, "Unknown campaign"),
        (422, "Campaign outside its dates"),
        (400, "Campaign has ended"),
        (400, "Invalid API key"),
        (403, ""),
        (403, "Forbidden"),
        (403, "Api Key is invalid"),
        (400, "campaignId is unknown"),
        (400, "No campaign found with this id"),
        (400, "Campaign schedule is over"),
        (400, "The campaign with the given id isn't active"),
        (400, "Cannot trigger a draft campaign"),
        (431, ""),
        (451, ""),
        (426, ""),
        (415, "Unsupported Media Type"),
        (405, ""),
        (308, ""),
    ],
)
def test_what_every_message_of_a_campaign_meets_is_the_campaign_s(status: int, title: str) -> None:
    assert verdict(status, {"title": title}).blame == "campaign"


@pytest.mark.parametrize(
    ("status", "code", "title", "reason"),
    [
        (400, None, "The campaign was stopped", "campaign-refused"),
        (403, None, "The campaign is archived", "campaign-refused"),
        (404, None, "Campaign not found", "campaign-refused"),
        (422, "CJMCMP-6003-422", "Unprocessable", "campaign-refused"),
        (403, None, "Api Key is invalid", "forbidden"),
        (403, "403025", "Not entitled", "forbidden"),
        (415, None, "Unsupported Media Type", "unsupported-media-type"),
        (400, "CJMRT-080608-400", "Bad Request", "bad-request"),
    ],
)
def test_only_what_says_that_the_campaign_itself_is_at_fault_is_a_campaign_refused(
    status: int, code: str | None, title: str, reason: str
) -> None:
    kind = {"type": f"https://ns.adobe.com/aep/errors/{code}"} if code else {}
    found = verdict(status, {"title": title, **kind})
    assert (found.blame, found.reason) == ("campaign", reason)


@pytest.mark.parametrize(
    ("code", "blame"),
    [
        ("CJMRT-050030-422", "recipient"),
        ("CJMRT-080608-400", "campaign"),
        ("CJMCMP-6003-400", "campaign"),
        ("CJMRT-00071-400", None),
        ("CJMRT-030012-422", None),
    ],
)
def test_a_code_that_adobe_explains_has_its_meaning(code: str, blame: Blame | None) -> None:
    assert verdict(400, {"type": f"https://ns.adobe.com/aep/errors/{code}", "title": "Bad Request"}).blame == blame


@pytest.mark.parametrize(
    ("status", "title"),
    [
        (400, ""),
        (400, "Bad Request"),
        (404, "Not Found"),
        (422, "Validation failed"),
        (400, "A required variable is missing: customer.firstName"),
        (400, "missing customer.firstName"),
        (400, "Unknown identity namespace: Emial"),
        (400, "Invalid recipient type"),
        (400, "The email template is invalid"),
        (400, "The campaign is not meant for this recipient, who is unknown"),
        (400, "Cannot find the profile: sandbox prod is unknown"),
        (418, "I'm a teapot"),
        (400, "The sender email address is not valid"),
        (400, "From email address is invalid"),
        (400, "Reply-to email address is missing"),
        (400, "Email subdomain is invalid"),
        (400, "Email domain not found"),
        (400, "Email body is missing"),
        (400, "Sender phone number not found"),
        (400, "Push token credentials are invalid"),
        (400, "Profile service is unreachable"),
        (400, "Could not reach the profile lookup service"),
        (404, "Identity provider is invalid"),
        (400, "Consent policy not found"),
        (400, "Unknown user agent"),
        (400, "Technical user not found"),
        (400, "Please contact Adobe support: request malformed"),
        (400, "Contact your administrator, access is blocked"),
        (400, "Unknown property 'recipients[0].foo'"),
        (400, "recipients: missing required field"),
    ],
)
def test_where_it_is_not_told_nothing_is_guessed(status: int, title: str) -> None:
    assert verdict(status, {"title": title}).blame is None


def test_a_payload_that_is_too_large_is_the_trigger_s_own() -> None:
    assert verdict(413, {"title": "Payload Too Large"}).blame == "trigger"


@pytest.mark.parametrize("status", [202, 409, 429, 500, 401])
def test_only_refusals_are_blamed_on_anybody(status: int) -> None:
    assert verdict(status, {"title": "Profile not found"}).blame is None


def test_texts_that_we_sent_tell_nothing() -> None:
    sent = json.dumps({"recipients": [{"context": {"message": "Profile not found"}}]}).encode()
    assert verdict(400, {"title": "Bad Request", "report": {"value": "Profile not found"}}, sent).blame is None
    assert verdict(400, {"title": "Profile not found!"}, sent).blame == "recipient"


@given(st.sampled_from([400, 403, 404, 413, 422]), st.text(max_size=300))
def test_nothing_that_is_answered_raises(status: int, title: str) -> None:
    assert verdict(status, {"title": title, "report": [title, {"a": title}]}).blame in {
        "recipient",
        "trigger",
        "campaign",
        None,
    }
