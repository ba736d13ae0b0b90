"""Every endpoint answers over HTTP as it is documented to."""

from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.integration.simulator.calls import HIGH_THROUGHPUT, TOKEN, UNITARY, Api, entries, payload


@pytest.mark.parametrize(
    ("path", "kind", "prefix"),
    [
        (UNITARY, "aep", "UMA-"),
        (UNITARY, "external", "UMA-"),
        (HIGH_THROUGHPUT, "external", "HUMA-"),
        ("/ajo/im/executions/unitary/highthroughput", "external", "HUMA-"),
    ],
)
def test_a_valid_execution_is_accepted_with_its_ids(api: Api, path: str, kind: str, prefix: str) -> None:
    request_id = str(uuid4())
    answer = api.call(path=path, body=payload(request_id, kind))
    assert answer.status_code == 202
    document = answer.json()
    assert document["requestId"] == request_id
    assert document["executionId"].startswith(prefix)
    assert datetime.fromisoformat(document["createdAt"]).utcoffset() is not None
    assert set(document) == {"executionId", "requestId", "createdAt", "createdBy", "modifiedAt", "modifiedBy"}
    entry = api.entry(request_id)
    assert (entry["status"], entry["accepted"], entry["path"]) == (202, True, path)
    assert entry["execution_id"] == document["executionId"]


@pytest.mark.parametrize(
    ("headers", "status", "shape"),
    [
        ({"Authorization": "Bearer invented"}, 401, "error_code"),
        ({"Authorization": "Basic abc"}, 403, "error_code"),
        ({"x-api-key": ""}, 403, "error_code"),
        ({"x-sandbox-name": ""}, 400, "error_code"),
        ({"x-request-id": "mine"}, 400, "error_code"),
        ({"Content-Type": "text/plain"}, 415, "type"),
    ],
)
def test_a_call_with_wrong_headers_is_refused_and_not_accepted(
    api: Api, headers: dict[str, str], status: int, shape: str
) -> None:
    request_id = str(uuid4())
    answer = api.call(request_id, headers=headers)
    assert answer.status_code == status
    assert shape in answer.json()
    entry = api.entry(request_id)
    assert (entry["status"], entry["accepted"], entry["execution_id"]) == (status, False, None)
    assert entry["error"] in answer.text


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (UNITARY, {"requestId": "only"}, 400),
        (UNITARY, {**payload("r"), "recipients": []}, 400),
        (HIGH_THROUGHPUT, payload("r"), 400),
        (UNITARY, {"filler": "x" * 8_000_000}, 413),
    ],
)
def test_a_wrong_body_is_refused_in_the_shape_of_the_service(api: Api, path: str, body: Any, status: int) -> None:
    answer = api.call(path=path, body=body)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.json()["type"].endswith(f"-{status}")
    assert entries(api.journal)[-1]["error"] == answer.json()["title"]


def test_a_body_of_20_recipients_with_full_contexts_is_taken(api: Api) -> None:
    recipients = [
        {"type": "aep", "userId": f"p{number}@example.com", "namespace": "email", "context": {"a": "x" * 199_000}}
        for number in range(20)
    ]
    request_id = str(uuid4())
    assert api.call(body={**payload(request_id), "recipients": recipients}).status_code == 202
    assert api.entry(request_id)["recipients"] == 20


def test_the_token_endpoint_issues_tokens_in_the_shape_of_rfc_6749(api: Api) -> None:
    answer = api.token()
    assert answer.status_code == 200
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("bearer", 86_399)
    assert api.call(headers={"Authorization": f"Bearer {answer.json()['access_token']}"}).status_code == 202
    wrong = api.token(grant_type="password")
    assert (wrong.status_code, wrong.json()) == (400, {"error": "unsupported_grant_type"})
    assert api.client.post(f"{api.url}{TOKEN}", json={"grant_type": "client_credentials"}).status_code == 400


def test_a_token_expires_when_its_time_is_over(api: Api) -> None:
    api.play("[token]\nexpires_in = 1\n")
    headers = {"Authorization": f"Bearer {api.token().json()['access_token']}"}
    api.play('[[fault]]\nkind = "slow"\ncampaign = "later"\nseconds = 1.1\n')  # decided on once the token has expired
    assert api.call(campaign="later", headers=headers).json()["error_code"] == "401013"


def test_the_token_endpoint_fails_as_scripted_and_recovers(api: Api) -> None:
    api.play("[token]\nfail_status = 503\n")
    assert api.token().status_code == 503
    api.play("[token]\nfail_status = 503\nfrom = 3600\n")
    assert api.token().status_code == 200


def test_health_answers_without_a_token(api: Api) -> None:
    assert httpx2.get(f"{api.url}/ajo/im/health").status_code == 200


CAMPAIGNS = "/journey/campaigns/service/campaigns"


def test_a_campaign_that_no_scenario_names_is_live_and_has_no_dates(api: Api) -> None:
    api.play('[[campaign]]\nid = "another"\nstatus = "STOPPED"\n')
    document = api.get(f"{CAMPAIGNS}/any").json()
    assert (document["campaignId"], document["status"]) == ("any", "LIVE")
    assert document["schedule"] == {"startDateEnabled": False, "endDateEnabled": False}


def test_the_campaign_endpoint_says_what_the_scenario_does_and_something_else_with_the_next_one(api: Api) -> None:
    api.play(
        '[[campaign]]\nid = "a"\nstatus = "SCHEDULED"\nstart = 2026-11-01T09:00:00+01:00\n'
        'namespace = "Email"\nthroughput = "high"\ncreate_profiles = false\n'
    )
    document = api.get(f"{CAMPAIGNS}/a").json()
    assert document["schedule"]["startDate"] == "2026-11-01T08:00:00.000000Z"
    told = [document[name] for name in ("status", "identityNamespace", "highThroughputMode", "createNewProfile")]
    assert told == ["SCHEDULED", "Email", True, False]
    api.play('[[campaign]]\nid = "a"\nstatus = "STOPPED"\n')
    assert api.get(f"{CAMPAIGNS}/a").json()["status"] == "STOPPED"


def test_the_campaign_endpoint_looks_at_the_token_and_fails_as_scripted(api: Api) -> None:
    api.play("".join(f'[[campaign]]\nid = "c{status}"\nanswer = {status}\n' for status in (403, 404, 500)))
    assert [api.get(f"{CAMPAIGNS}/c{status}").status_code for status in (403, 404, 500)] == [403, 404, 500]
    assert api.get(f"{CAMPAIGNS}/c404").json()["title"] == "Requested object not found"
    assert httpx2.get(f"{api.url}{CAMPAIGNS}/any").json()["error_code"] == "403010"
    invented = {**api.headers, "Authorization": "Bearer invented"}
    assert api.client.get(f"{api.url}{CAMPAIGNS}/any", headers=invented).json()["error_code"] == "401013"
    assert [api.get(f"{CAMPAIGNS}{rest}").status_code for rest in ("/", "/a/versions")] == [404, 404]


@pytest.mark.parametrize(("method", "path"), [("GET", UNITARY), ("GET", TOKEN), ("POST", "/nowhere"), ("GET", "/")])
def test_what_the_simulator_does_not_know_is_not_found_and_in_the_journal(api: Api, method: str, path: str) -> None:
    assert api.client.request(method, f"{api.url}{path}").status_code == 404
    entry = entries(api.journal)[-1]
    assert (entry["path"], entry["status"], entry["accepted"]) == (path, 404, False)


def test_every_answer_has_a_request_id_of_the_gateways_own(api: Api) -> None:
    answers = [api.call(), api.call(body={"a": 1}), api.token(), api.get("/ajo/im/health")]
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)
