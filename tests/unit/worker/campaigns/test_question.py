"""Where to ask for a campaign: beside its executions, with the headers of its attempts, and at no other host."""

import pytest
from ajo_worker.api.request import ForeignHost
from ajo_worker.campaigns.question import question_of
from ajo_worker.settings import Settings

from tests.support.definitions import definition

PATH = "/journey/campaigns/service/campaigns/8f0c2d1e-1111-4222-8333-444455556666"


def test_a_campaign_is_asked_for_where_it_is_executed_with_the_headers_of_its_attempts() -> None:
    question = question_of(definition(), Settings(client_id="client"))
    assert question.url == f"https://platform.adobe.io{PATH}"
    named = ("x-api-key", "x-gw-ims-org-id", "x-sandbox-name")
    assert [question.headers[name] for name in named] == ["client", "ABC@AdobeOrg", "prod"]


def test_a_base_url_and_its_path_go_before() -> None:
    settings = Settings(base_url="https://gateway.example.com/adobe/", org_id="OTHER@AdobeOrg")
    question = question_of(definition(), settings)
    assert question.url == f"https://gateway.example.com/adobe{PATH}"
    assert question.headers["x-gw-ims-org-id"] == "OTHER@AdobeOrg"


def test_an_id_cannot_lead_to_another_path() -> None:
    assert question_of(definition(campaign_id="../a?b"), Settings()).url.endswith("/campaigns/..%2Fa%3Fb")


def test_a_host_that_is_not_allowed_is_not_asked() -> None:
    with pytest.raises(ForeignHost):
        question_of(definition(endpoint="https://example.com/ajo/im/executions/unitary"), Settings())
