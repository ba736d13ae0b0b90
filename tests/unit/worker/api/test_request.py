"""The request: what a definition and a trigger make of it, and where it may go."""

import json
from uuid import UUID

import pytest
from ajo_producers.contract.trigger import Recipient, Trigger
from ajo_worker.api.request import Endpoint, ForeignHost, body_of, call_of, endpoint_of

from tests.support.definitions import ORDER_SHIPPED, definition

HOSTS = ("platform.adobe.io", "*.adobe.io")
REQUEST_ID = "01a1961f-5c00-73fe-a636-947fdb6ac011"
ADA = Recipient(
    user_id="ada@example.com",
    channel_data={"emailAddress": "ada@example.com"},
    context={"orderId": "A-1"},
)


def trigger(*recipients: Recipient) -> Trigger:
    return Trigger(request_id=UUID(REQUEST_ID), campaign="order-shipped", recipients=recipients or (ADA,))


def endpoint(base_url: str | None = None, org_id: str = "", **changes: str) -> Endpoint:
    return endpoint_of(definition(**changes), base_url=base_url, allowed_hosts=HOSTS, client_id="client", org_id=org_id)


def test_a_body_has_the_documented_fields_and_no_empty_ones() -> None:
    assert json.loads(body_of(ORDER_SHIPPED, trigger())) == {
        "requestId": REQUEST_ID,
        "campaignId": ORDER_SHIPPED.campaign_id,
        "recipients": [
            {
                "type": "aep",
                "userId": "ada@example.com",
                "namespace": "email",
                "channelData": {"emailAddress": "ada@example.com"},
                "context": {"orderId": "A-1"},
            }
        ],
    }


def test_a_merge_policy_of_the_definition_goes_with_every_recipient() -> None:
    with_policy = definition(merge_policy_name="default", merge_policy_schema="_xdm.context.profile")
    recipients = json.loads(body_of(with_policy, trigger(ADA, ADA)))["recipients"]
    assert [(one["mergePolicyName"], one["mergePolicySchema"]) for one in recipients] == [
        ("default", "_xdm.context.profile")
    ] * 2


@pytest.mark.parametrize(
    "url",
    [
        "http://platform.adobe.io/ajo/im/executions/unitary",
        "https://platform.adobe.io.example.com/ajo/im/executions/unitary",
        "https://example.com/ajo/im/executions/unitary",
    ],
)
def test_credentials_go_to_no_other_host_and_never_in_clear(url: str) -> None:
    with pytest.raises(ForeignHost):
        endpoint(endpoint=url)


def test_the_base_url_replaces_scheme_and_host_and_keeps_the_path() -> None:
    assert endpoint("http://127.0.0.1:8080/").url == "http://127.0.0.1:8080/ajo/im/executions/unitary"


def test_the_organization_of_the_settings_comes_before_the_definitions() -> None:
    assert endpoint().headers["x-gw-ims-org-id"] == ORDER_SHIPPED.organization
    assert endpoint(org_id="OTHER@AdobeOrg").headers["x-gw-ims-org-id"] == "OTHER@AdobeOrg"


def test_a_call_carries_the_token_and_never_the_gateways_own_request_id() -> None:
    call = call_of(endpoint(), b"{}", "secret-token")
    assert call.headers["authorization"] == "Bearer secret-token"
    assert "x-request-id" not in call.headers
    assert "secret-token" not in repr(call)
