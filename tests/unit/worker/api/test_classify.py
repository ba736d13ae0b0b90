"""Classification: every status, both error shapes, every transport failure."""

import codecs
import gzip
import zlib
from collections.abc import Callable
from typing import get_args
from uuid import UUID

import msgspec
import pytest
from ajo_worker.api.answer import Answer, Failure, FailureKind
from ajo_worker.api.classify import NOTHING, SentCall, classify
from ajo_worker.api.retry_after import LONGEST
from ajo_worker.api.verdict import Outcome, Verdict
from hypothesis import given
from hypothesis import strategies as st

AMBIGUOUS = frozenset({502, 504})
SERVICE = {"type": "https://ns.adobe.com/aep/errors/CJMRT-000032-409", "title": "Conflict", "status": 409, "report": {}}
GATEWAY = {"error_code": "401013", "message": "Oauth token is not valid"}


def verdict(
    status: int, document: object = None, headers: dict[str, str] | None = None, asked: SentCall = NOTHING
) -> Verdict:
    body = b"" if document is None else msgspec.json.encode(document)
    return classify(Answer(status, headers or {}, body, 0.1, 0.2), ambiguous_statuses=AMBIGUOUS, asked=asked)


@pytest.mark.parametrize(
    ("status", "outcome", "ambiguous", "reason"),
    [
        (202, "accepted", False, None),
        (200, "refused", True, "unexpected-status"),
        (204, "refused", True, "unexpected-status"),
        (301, "refused", False, "redirect"),
        (302, "retryable", False, "redirect"),
        (303, "refused", False, "redirect"),
        (307, "retryable", False, "redirect"),
        (308, "refused", False, "redirect"),
        (400, "refused", False, "bad-request"),
        (401, "unauthorized", False, "unauthorized"),
        (403, "refused", False, "forbidden"),
        (404, "refused", False, "not-found"),
        (408, "retryable", False, "request-timeout"),
        (409, "refused", True, "conflict"),
        (413, "refused", False, "too-large"),
        (415, "refused", False, "unsupported-media-type"),
        (418, "refused", False, "refused"),
        (421, "retryable", False, "misdirected"),
        (423, "retryable", False, "locked"),
        (424, "retryable", False, "failed-dependency"),
        (425, "retryable", False, "too-early"),
        (431, "refused", False, "refused"),
        (451, "refused", False, "refused"),
        (422, "refused", False, "unprocessable"),
        (429, "retryable", False, "rate-limited"),
        (500, "retryable", False, "server-error"),
        (502, "retryable", True, "bad-gateway"),
        (503, "retryable", False, "unavailable"),
        (504, "retryable", True, "gateway-timeout"),
        (599, "retryable", False, "server-error"),
    ],
)
def test_a_status_has_its_meaning(status: int, outcome: Outcome, ambiguous: bool, reason: str | None) -> None:
    found = verdict(status)
    assert (found.outcome, found.ambiguous, found.reason, found.http_status) == (outcome, ambiguous, reason, status)


@pytest.mark.parametrize("prefix", ["UMA-", "HUMA-", ""])
def test_an_execution_id_is_kept_whole(prefix: str) -> None:
    execution_id = f"{prefix}70b4d5d5-2844-4029-8882-91efe86edfae"
    assert verdict(202, {"executionId": execution_id}).execution_id == execution_id


def test_the_service_names_its_error_at_the_end_of_the_type() -> None:
    found = verdict(409, SERVICE)
    assert (found.error_code, found.error_title) == ("CJMRT-000032-409", "Conflict")


@pytest.mark.parametrize("code", ["401013", "403010"])
@pytest.mark.parametrize("status", [400, 401, 403])
def test_the_gateways_token_codes_count_whatever_the_status(status: int, code: str) -> None:
    found = verdict(status, {**GATEWAY, "error_code": code})
    assert (found.outcome, found.error_code, found.error_title) == ("unauthorized", code, "Oauth token is not valid")


@pytest.mark.parametrize(
    ("status", "document", "outcome"),
    [
        (400, {"type": "x/CJMRT-110100-500"}, "retryable"),
        (422, {"type": "x/CJMRT-110100-503"}, "retryable"),
        (403, {"type": "x/CJMRT-000013-401"}, "unauthorized"),
        (400, {"error_code": "429001"}, "retryable"),
        (404, {"error_code": 503000}, "retryable"),
        (400, {"type": "x/CJMRT-000013-404"}, "refused"),
        (400, {"type": "x/ticket-123-500"}, "refused"),
        (404, {"error_code": "5000001"}, "refused"),
        (301, {"type": "x/CJMRT-110100-500"}, "refused"),
        (429, {"type": "x/CJMRT-110100-401"}, "retryable"),
        (500, {"type": "x/CJMRT-110100-400"}, "retryable"),
    ],
)
def test_a_refusal_whose_code_says_that_it_is_none_is_none(
    status: int, document: dict[str, object], outcome: Outcome
) -> None:
    """A gateway that passes Adobe's error on may give it another status."""
    found = verdict(status, document)
    assert (found.outcome, found.http_status) == (outcome, status)


@pytest.mark.parametrize("code", ["403000", "403003", "403025"])
def test_other_gateway_codes_leave_403_a_refusal(code: str) -> None:
    assert verdict(403, {"error_code": code, "message": "no"}).outcome == "refused"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"executionId": 7}'])
def test_a_202_is_accepted_though_its_body_tells_nothing(body: bytes) -> None:
    found = classify(Answer(202, {}, body, 0.1, 0.2), ambiguous_statuses=AMBIGUOUS)
    assert (found.outcome, found.execution_id) == ("accepted", None)


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE html><html><script>challenge()</script>",
        b"\xef\xbb\xbf\r\n <html>",
        "\ufeff<html>".encode("utf-16-le"),
        b'{"error_code": "403025", "message": "Profile is not valid"}',
        b'{"error_code": 401013}',
        b'{"type": "https://ns.adobe.com/aep/errors/CJMRT-110100-500", "title": "Internal error"}',
        b'{"type": "about:blank", "status": 503}',
        b'{"status": 500, "title": "Access to your account is currently revoked"}',
    ],
)
def test_a_202_that_is_a_page_or_says_an_error_is_no_acceptance_and_no_reason_to_send_again(body: bytes) -> None:
    """As AWS's firewall challenges whoever calls: with 202, and a script for browsers."""
    found = classify(Answer(202, {}, body, 0.1, 0.2), ambiguous_statuses=AMBIGUOUS)
    assert (found.outcome, found.ambiguous, found.reason) == ("refused", True, "unexpected-status")
    assert found.outage is None


def test_a_202_with_an_execution_id_is_accepted_whatever_else_it_says() -> None:
    assert verdict(202, {"executionId": "UMA-1", "status": 500, "error_code": "403025"}).outcome == "accepted"


def test_a_202_gives_its_execution_id_and_the_gateways_request_id() -> None:
    found = verdict(202, {"executionId": "UMA-1"}, {"x-request-id": "gw-1"})
    assert (found.execution_id, found.adobe_request_id) == ("UMA-1", "gw-1")


@pytest.mark.parametrize("status", [200, 201, 203])
def test_another_success_is_accepted_with_an_execution_id_and_ambiguous_without(status: int) -> None:
    found = verdict(status, {"executionId": " UMA-1 "})
    assert (found.outcome, found.ambiguous, found.execution_id) == ("accepted", False, "UMA-1")
    for document in ({}, {"executionId": ""}, {"executionId": " "}, {"executionId": None}, {"executionId": 7}, [], "x"):
        assert (verdict(status, document).outcome, verdict(status, document).ambiguous) == ("refused", True)


OURS = UUID("01a22000-0000-7000-8000-000000000001")
OTHERS = UUID("01a22000-0000-7000-8000-000000000002")


@pytest.mark.parametrize("status", [200, 202, 400, 500])
@pytest.mark.parametrize(
    ("told", "found"),
    [
        (str(OURS), None),
        (str(OURS).upper(), None),
        (f"{{{OURS}}}", None),
        (OURS.hex, None),
        (f" urn:uuid:{OURS}\n", None),
        (str(OTHERS).upper(), str(OTHERS)),
        ("gw-1", "gw-1"),
        ("", None),
        ("  ", None),
        (None, None),
        (7, None),
        ([], None),
    ],
)
def test_the_request_that_an_answer_names_is_kept_where_it_is_not_ours(
    status: int, told: object, found: str | None
) -> None:
    document = {"requestId": told, "executionId": "UMA-1"}
    assert verdict(status, document, asked=SentCall(OURS)).answered_request_id == found
    assert verdict(status, document).answered_request_id is None, "nobody has asked"


AGAIN = SentCall(repeated=True)


@pytest.mark.parametrize("status", [400, 403, 404, 422, 500, 503])
@pytest.mark.parametrize(
    "document",
    [
        {"title": "Duplicate"},
        {"title": "duplicate request"},
        {"title": "Bad Request", "detail": "Duplicate requestId"},
        {"title": "requestId must be unique"},
        {"title": "The request was already processed"},
        {"message": "This request has already been accepted"},
        {"title": "Already exists"},
        {"title": "Request already in progress"},
        {"title": "Execution with this request ID already exists"},
        {"error_code": "DUPLICATE_REQUEST", "message": "no"},
        {"code": "DUPLICATE_REQUEST"},
        {"title": "x", "report": {"additionalContext": {"requestId": "was received before"}}},
        {"title": "Idempotency key reused"},
    ],
)
def test_after_an_earlier_attempt_a_repetition_that_is_refused_was_perhaps_accepted(
    status: int, document: dict[str, object]
) -> None:
    found = verdict(status, document, asked=AGAIN)
    assert (found.outcome, found.ambiguous, found.reason, found.blame) == ("refused", True, "conflict", None)
    first = verdict(status, document)
    assert (first.reason == "conflict", first.ambiguous) == (False, False)


@pytest.mark.parametrize("asked", [NOTHING, AGAIN])
@pytest.mark.parametrize(
    "title",
    [
        "Duplicate recipients in the request",
        "userIds must be unique",
        "Duplicate userId",
        "The campaign has already ended",
        "The campaign was already completed",
        "Duplicate attachment",
        "Duplicate key in JSON",
        "The recipient has already opted out",
        "Bad Request",
        "",
    ],
)
def test_what_stands_in_one_call_twice_is_the_caller_s_own_fault_whenever_it_is_told(
    asked: SentCall, title: str
) -> None:
    found = verdict(400, {"title": title}, asked=asked)
    assert (found.outcome, found.ambiguous) == ("refused", False)


def test_what_we_sent_ourselves_says_nothing_of_a_repetition() -> None:
    asked = SentCall(body=b'{"context":{"message":"Duplicate invoice"}}', repeated=True)
    assert not verdict(400, {"title": "Bad Request", "report": {"value": "Duplicate invoice"}}, asked=asked).ambiguous


@pytest.mark.parametrize("status", [400, 409, 422, 500])
@pytest.mark.parametrize("asked", [NOTHING, AGAIN])
def test_adobe_s_code_of_a_conflict_is_one_whatever_the_status(status: int, asked: SentCall) -> None:
    found = verdict(status, SERVICE, asked=asked)
    assert (found.outcome, found.ambiguous, found.reason) == ("refused", True, "conflict")


@pytest.mark.parametrize("kind", get_args(FailureKind))
@pytest.mark.parametrize("perhaps_processed", [True, False])
def test_a_failure_is_retryable_and_as_ambiguous_as_the_adapter_says(
    kind: FailureKind, perhaps_processed: bool
) -> None:
    found = classify(Failure(kind, perhaps_processed, 1.0), ambiguous_statuses=AMBIGUOUS)
    assert found == Verdict("retryable", ambiguous=perhaps_processed, reason=kind, failure=kind)


def test_half_a_body_counts_by_its_status_line() -> None:
    accepted = Failure("body", perhaps_processed=True, elapsed=1.0, status=202)
    assert classify(accepted, ambiguous_statuses=AMBIGUOUS).outcome == "accepted"
    refused = Failure("body", perhaps_processed=True, elapsed=1.0, status=400)
    assert classify(refused, ambiguous_statuses=AMBIGUOUS) == Verdict("refused", reason="bad-request", http_status=400)


def test_what_came_of_a_broken_answer_counts_with_its_status_line() -> None:
    """A gateway that asks for a wait, or tells of the outage, and cuts its own page short."""
    told = b"<p>Access to your account is currently revoked because the Azure Cosmos DB"
    for status, headers, body, waits, outage in (
        (429, {"retry-after": "7"}, b"", 7.0, None),
        (503, {"retry-after": "3"}, b"<html>", 3.0, None),
        (500, {}, told, None, "cosmos-key"),
        (403, {}, told[: -len(b"oked because the Azure Cosmos DB")], None, "cosmos-key"),
    ):
        cut = Failure("body", True, 1.0, status=status, headers=headers, body=body)
        found = classify(cut, ambiguous_statuses=AMBIGUOUS)
        assert (found.outcome, found.http_status, found.retry_after) == ("retryable", status, waits)
        assert found.outage == outage


WRITINGS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "with a BOM": (lambda body: codecs.BOM_UTF8 + body, ""),
    "UTF-16": (lambda body: body.decode().encode("utf-16"), ""),
    "UTF-16, big endian": (lambda body: body.decode().encode("utf-16-be"), ""),
    "UTF-32": (lambda body: body.decode().encode("utf-32"), ""),
    "Latin-1": (lambda body: body.replace(b"{", '{"createdBy":"Jürgen",'.encode("latin-1"), 1), ""),
    "no number": (lambda body: body.replace(b"{", b'{"x":NaN,', 1), ""),
    "half a surrogate pair": (lambda body: body.replace(b"{", b'{"x":"\\ud800",', 1), ""),
    "a zero behind it": (lambda body: body + b"\0", ""),
    "gzip": (gzip.compress, "gzip"),
    "deflate": (zlib.compress, "Deflate"),
    "gzip, twice": (lambda body: gzip.compress(gzip.compress(body)), "gzip, gzip"),
    "no gzip, whatever it says": (lambda body: body, "gzip"),
}


@pytest.mark.parametrize("writing", WRITINGS)
def test_an_answer_says_the_same_however_a_gateway_has_written_it(writing: str) -> None:
    written, coding = WRITINGS[writing]

    def found(status: int, document: dict[str, object]) -> Verdict:
        answer = Answer(status, {"content-encoding": coding}, written(msgspec.json.encode(document)), 0.1, 0.2)
        return classify(answer, ambiguous_statuses=AMBIGUOUS, asked=SentCall(OURS))

    for status in (200, 202):
        accepted = found(status, {"executionId": "UMA-1", "requestId": str(OTHERS)})
        assert (accepted.outcome, accepted.execution_id) == ("accepted", "UMA-1")
        assert accepted.answered_request_id == str(OTHERS)
    assert found(403, GATEWAY).outcome == "unauthorized"
    assert found(404, {"title": "Cannot find the Profile"}).blame == "recipient"
    revoked = {"title": "Access to your account is currently revoked"}
    assert found(500, revoked).outage == "cosmos-key"


def test_no_more_of_a_compressed_answer_is_read_than_of_any() -> None:
    bomb = gzip.compress(b"x" * 10**8)
    assert classify(Answer(202, {"content-encoding": "gzip"}, bomb, 0.1, 0.2), ambiguous_statuses=AMBIGUOUS)


def test_an_errors_text_is_kept_short_and_without_addresses_or_tokens() -> None:
    title = (
        "profile ada@example.com unknown, token eyJhbGciOiJSUzI1NiIsIng1dSI6Imltc19uYTEtc3RnMS1rZXk "
        + "x" * 9
        + " y" * 999
    )
    found = verdict(400, {"type": "about/ABC-1-400", "title": title})
    assert found.error_title is not None
    assert "ada" not in found.error_title
    assert "eyJ" not in found.error_title
    assert len(found.error_title) <= 300


@given(
    st.integers(100, 999), st.binary(max_size=200), st.dictionaries(st.sampled_from(["retry-after", "date"]), st.text())
)
def test_nothing_that_an_endpoint_answers_raises(status: int, body: bytes, headers: dict[str, str]) -> None:
    found = classify(Answer(status, headers, body, 0.0, 0.0), ambiguous_statuses=AMBIGUOUS)
    told = found.outcome == "accepted" or (found.outcome == "refused" and found.ambiguous)
    assert told if status == 202 else found.outcome != "accepted" or found.execution_id
    assert found.retry_after is None or 0 <= found.retry_after <= LONGEST


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=12), children, max_size=3),
    max_leaves=8,
)


@given(
    st.sampled_from([202, 400, 409, 500]),
    st.dictionaries(st.sampled_from(["type", "title", "error_code", "message", "executionId", "status"]), json_values),
)
def test_nothing_in_an_error_document_raises(status: int, document: dict[str, object]) -> None:
    assert verdict(status, document).http_status == status


@pytest.mark.parametrize("field", ["title", "message"])
@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("Invalid value 'Ada Lovelace' of firstName", "Invalid value '…' of firstName"),
        ("ADA LOVELACE is no email", "… is no email"),
        ("no such number: +4917012345678", "no such number: …"),
        ("no such number: +49 170 / 1234", "no such number: +49 170 / 1234"),
        ("no such number: +44 (20) 7946-0958", "no such number: …"),
        ("balance 1234.5 is not an integer, 99 is", "balance … is not an integer, 99 is"),
        ("type aep, namespace email, services", "type aep, namespace email, services"),
    ],
)
def test_what_an_error_quotes_of_the_recipients_that_were_sent_is_not_kept(field: str, told: str, kept: str) -> None:
    context = {"customer": [{"firstName": "Ada Lovelace"}], "balance": 1234.5, "age": 99, "word": "ice"}
    recipient = {"type": "aep", "namespace": "email", "userId": "+4917012345678", "context": context}
    body = msgspec.json.encode({"requestId": "r", "recipients": [recipient]})
    assert verdict(400, {field: told}, asked=SentCall(body=body)).error_title == kept


def test_an_error_s_code_stays_whole_and_one_that_is_none_quotes_nothing() -> None:
    body = b'{"recipients": [{"userId": "409"}]}'
    assert verdict(400, SERVICE | {"status": 400}, asked=SentCall(body=body)).error_code == "CJMRT-000032-409"
    assert verdict(400, {"type": "user 409 refused"}, asked=SentCall(body=body)).error_code == "user … refused"
