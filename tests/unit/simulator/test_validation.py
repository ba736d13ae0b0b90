"""What the documented API refuses, and in which shape."""

import json
from typing import Any

import pytest
from ajo_simulator.validation import (
    Execution,
    Problem,
    Recipient,
    check_body,
    check_caller,
    check_headers,
    gateway_error,
    service_error,
)
from hypothesis import given
from hypothesis import strategies as st

HEADERS = {
    "authorization": "Bearer token",
    "x-api-key": "key",
    "x-gw-ims-org-id": "ABC@AdobeOrg",
    "x-sandbox-name": "prod",
    "content-type": "application/json",
}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


def recipient(number: int = 0, **changes: Any) -> dict[str, Any]:
    return {"type": "aep", "userId": f"person{number}@example.com", "namespace": "email", **changes}


def body(*recipients: Any, **changes: Any) -> dict[str, Any]:
    return {"requestId": "r-1", "campaignId": "c-1", "recipients": list(recipients or [recipient()]), **changes}


def checked(document: Any, *, high_throughput: bool = False) -> Execution | Problem:
    return check_body(json.dumps(document).encode(), high_throughput=high_throughput)


@pytest.mark.parametrize(
    ("document", "recipients"),
    [
        (body(), 1),
        (body(*map(recipient, range(20))), 20),
        (body(recipient(type="external")), 1),
        (body(recipient(context={"orderId": "1"}, profile={"name": "A"})), 1),
        (body(recipient(context=None)), 1),
        (body(recipient(context={"text": "x" * 199_980})), 1),
    ],
)
def test_what_the_api_takes(document: dict[str, Any], recipients: int) -> None:
    execution = checked(document)
    assert isinstance(execution, Execution)
    assert (execution.request_id, execution.campaign_id, len(execution.recipients)) == ("r-1", "c-1", recipients)


def test_high_throughput_takes_external_recipients_with_context() -> None:
    document = body(recipient(type="external", context={"orderId": "1"}))
    person = Recipient("email", "person0@example.com", "person0@example.com")
    assert checked(document, high_throughput=True) == Execution("r-1", "c-1", (person,))


@pytest.mark.parametrize(
    ("changes", "address"),
    [
        ({}, "person0@example.com"),
        ({"namespace": "Email"}, "person0@example.com"),
        ({"namespace": "crm"}, None),
        ({"namespace": "crm", "channelData": {"emailAddress": "other@example.com"}}, "other@example.com"),
        ({"channelData": {"emailAddress": "other@example.com"}}, "other@example.com"),
        ({"channelData": {"emailAddress": 7}}, "person0@example.com"),
        ({"channelData": None}, "person0@example.com"),
    ],
)
def test_a_recipients_address_is_its_own_or_an_id_that_is_one(changes: dict[str, Any], address: str | None) -> None:
    execution = checked(body(recipient(**changes)))
    assert isinstance(execution, Execution)
    [person] = execution.recipients
    assert (person.user_id, person.address) == ("person0@example.com", address)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ([], "the body is not an object"),
        ("text", "the body is not an object"),
        (body(requestId=None), "requestId is required"),
        (body(requestId=""), "requestId is required"),
        (body(requestId=7), "requestId is required"),
        (body(campaignId=None), "campaignId is required"),
        (body(recipients=None), "recipients must hold 1 to 20 items"),
        (body(recipients=[]), "recipients must hold 1 to 20 items"),
        (body(*map(recipient, range(21))), "recipients must hold 1 to 20 items"),
        (body("a"), "a recipient must be an object"),
        (body(recipient(type=None)), "recipients.type is required"),
        (body(recipient(userId="")), "recipients.userId is required"),
        (body(recipient(namespace=None)), "recipients.namespace is required"),
        (body(recipient(type="internal")), "recipients.type must be aep or external"),
        (body(recipient(), recipient()), "userId must be unique"),
        (body(recipient(0), recipient(1, namespace="phone")), "recipients must have one namespace"),
        (body(recipient(context=[1])), "recipients.context must be an object"),
        (body(recipient(context={"system": {}})), "context.system is reserved"),
        (body(recipient(context={"text": "x" * 200_000})), "recipients.context is larger than 200 kB"),
        (body(recipient(0), recipient(1, context={"system": 1})), "context.system is reserved"),
    ],
)
def test_what_the_service_refuses_with_400_and_why(document: Any, told: str) -> None:
    problem = checked(document)
    assert isinstance(problem, Problem)
    assert (problem.status, problem.title) == (400, told)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "high throughput takes recipients of type external only"),
        ({"type": "external", "profile": {"name": "A"}}, "high throughput takes no profile"),
    ],
)
def test_what_high_throughput_refuses_beyond_that(changes: dict[str, Any], told: str) -> None:
    problem = checked(body(recipient(**changes)), high_throughput=True)
    assert isinstance(problem, Problem)
    assert problem.title == told


@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()), st.booleans())
def test_any_body_is_a_request_or_refused(raw: bytes, high_throughput: bool) -> None:
    assert isinstance(check_body(raw, high_throughput=high_throughput), Execution | Problem)


@given(st.lists(json_values, max_size=3), st.booleans())
def test_any_recipients_are_taken_or_refused(recipients: list[Any], high_throughput: bool) -> None:
    assert isinstance(checked(body(recipients=recipients), high_throughput=high_throughput), Execution | Problem)


@given(json_values, st.booleans())
def test_any_context_is_taken_or_refused(context: Any, high_throughput: bool) -> None:
    raw = checked(body(recipient(type="external", context=context)), high_throughput=high_throughput)
    assert isinstance(raw, Execution | Problem)


def test_a_body_nested_too_deep_or_cut_inside_a_character_is_refused() -> None:
    for raw in (b"[" * 100_000, b'{"requestId": "\xff"}', b'{"requestId": "\\ud800"}', b""):
        assert isinstance(check_body(raw, high_throughput=False), Problem)


@pytest.mark.parametrize(
    ("changes", "valid", "status", "code"),
    [
        ({"authorization": None}, True, 403, "403010"),
        ({"authorization": "Basic abc"}, True, 403, "403010"),
        ({}, False, 401, "401013"),
        ({"x-api-key": None}, True, 403, "403000"),
        ({"x-gw-ims-org-id": None}, True, 400, "400003"),
        ({"x-sandbox-name": ""}, True, 400, "400003"),
        ({"x-request-id": "mine"}, True, 400, "400000"),
    ],
)
def test_what_the_gateway_refuses_of_a_caller_in_its_own_shape(
    changes: dict[str, str | None], valid: bool, status: int, code: str
) -> None:
    headers = {name: value for name, value in {**HEADERS, **changes}.items() if value is not None}
    for problem in (check_headers(headers, token_is_valid=valid), check_caller(headers, token_is_valid=valid)):
        assert problem is not None
        assert problem.status == status
        assert json.loads(problem.body) == {"error_code": code, "message": problem.title}


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_complete_headers_pass(content_type: str) -> None:
    assert check_headers({**HEADERS, "content-type": content_type}, token_is_valid=True) is None


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/jsonl"])
def test_another_content_type_is_refused_with_415_for_an_execution_alone(content_type: str) -> None:
    headers = {**HEADERS, "content-type": content_type}
    problem = check_headers(headers, token_is_valid=True)
    assert problem is not None
    assert problem.status == 415
    assert check_caller(headers, token_is_valid=True) is None


def test_the_two_shapes_of_an_error() -> None:
    assert json.loads(service_error(409, "Conflict", "CJMRT-000032-409").body) == {
        "type": "https://ns.adobe.com/aep/errors/CJMRT-000032-409",
        "title": "Conflict",
        "status": 409,
        "report": {"additionalContext": {}},
    }
    assert json.loads(gateway_error(401, "401013", "Oauth token is not valid").body) == {
        "error_code": "401013",
        "message": "Oauth token is not valid",
    }
    assert json.loads(service_error(503, "x").body)["type"].endswith("-503")
