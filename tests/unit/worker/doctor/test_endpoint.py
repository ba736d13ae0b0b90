"""Endpoints: which there are, and what each step of the way to one says."""

import socket
import ssl

import pytest
from ajo_worker.api.request import Endpoint, ForeignHost
from ajo_worker.doctor.check import Status
from ajo_worker.doctor.endpoint import (
    destinations,
    judge_certificate,
    judge_connection,
    judge_handshake,
    judge_health,
)

DAY = 86_400.0
HEADERS = {"content-type": "application/json", "x-api-key": "shop", "x-sandbox-name": "prod"}
UNITARY = "https://platform.adobe.io/ajo/im/executions/unitary"


def test_each_host_is_visited_once_and_a_foreign_one_never() -> None:
    found = destinations(
        [
            Endpoint(UNITARY, HEADERS),
            ForeignHost("evil.example.com"),
            Endpoint("https://platform.adobe.io/ajo/im/executions/highthroughput", {}),
            Endpoint("http://127.0.0.1:8080/gate/ajo/im/executions/unitary", {}),
        ],
        None,
    )
    assert [(one.name, one.host, one.port, one.secure) for one in found] == [
        ("platform.adobe.io", "platform.adobe.io", 443, True),
        ("127.0.0.1:8080", "127.0.0.1", 8080, False),
    ]
    assert [one.health_url for one in found] == [
        "https://platform.adobe.io/ajo/im/health",
        "http://127.0.0.1:8080/gate/ajo/im/health",
    ]
    assert found[0].headers == {"x-api-key": "shop", "x-sandbox-name": "prod"}


@pytest.mark.parametrize(
    ("base_url", "urls"), [(None, []), ("https://gate.example.com/a/", ["https://gate.example.com/a/ajo/im/health"])]
)
def test_a_base_url_is_visited_even_without_a_definition(base_url: str | None, urls: list[str]) -> None:
    assert [one.health_url for one in destinations([], base_url)] == urls


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (TimeoutError(110, "Connection timed out"), "no answer"),
        (OSError("hunter2"), "no address takes a connection"),
    ],
)
def test_a_connection_that_fails_says_why(fault: OSError, text: str) -> None:
    found = judge_connection("connect h", fault)
    assert (found.status, found.found) == ("failed", text)


def unverified(message: str) -> OSError:
    fault = ssl.SSLCertVerificationError(1, "broken")
    fault.verify_message = message
    return fault


def broken(reason: str) -> OSError:
    fault = ssl.SSLError(1, "hunter2")
    fault.reason = reason
    return fault


@pytest.mark.parametrize(
    ("fault", "text", "advised"),
    [
        (unverified("certificate has expired"), "certificate has expired", "renewed"),
        (unverified("certificate is not yet valid"), "certificate is not yet valid", "clock"),
        (unverified("Hostname mismatch, certificate is not valid for 'h'."), "Hostname mismatch", "another host"),
        (unverified("IP address mismatch, certificate is not valid for '::1'."), "IP address mismatch", "another host"),
        (unverified("unable to get local issuer certificate"), "unable to get local issuer", "AJO_CA_FILE"),
        (ConnectionResetError(104, "Connection reset by peer"), "Connection reset by peer", "HTTPS"),
        (broken("WRONG_VERSION_NUMBER"), "WRONG_VERSION_NUMBER", "HTTPS"),
    ],
)
def test_a_handshake_that_fails_says_why_and_what_to_do(fault: OSError, text: str, advised: str) -> None:
    found = judge_handshake("tls h", fault)
    assert found.status == "failed"
    assert text in found.found
    assert advised in str(found.advice)


@pytest.mark.parametrize(
    ("seconds", "status", "text"),
    [
        (90 * DAY, "ok", "TLSv1.3, the certificate ends in 90 days"),
        (14 * DAY, "ok", "TLSv1.3, the certificate ends in 14 days"),
        (14 * DAY - 1, "warning", "TLSv1.3, the certificate ends in 13 days"),
    ],
)
def test_a_certificate_that_soon_ends_is_a_warning(seconds: float, status: Status, text: str) -> None:
    found = judge_certificate("tls h", "TLSv1.3", seconds)
    assert (found.status, found.found) == (status, text)


@pytest.mark.parametrize(
    ("status", "with_token", "judged", "advised"),
    [
        (200, True, "ok", "None"),
        (204, False, "ok", "None"),
        (401, True, "failed", "AJO_SCOPES"),
        (403, True, "failed", "AJO_CLIENT_ID"),
        (401, False, "skipped", "None"),
        (403, False, "skipped", "None"),
        (404, True, "failed", "AJO_BASE_URL"),
        (429, True, "warning", "later"),
        (500, True, "failed", "status page"),
        (503, False, "failed", "status page"),
        (302, True, "failed", "gateway"),
    ],
)
def test_the_health_s_status_is_judged(status: int, with_token: bool, judged: Status, advised: str) -> None:
    found = judge_health("health h", status, 0.1, with_token=with_token)
    assert found.status == judged
    assert advised in str(found.advice)
    assert f"status {status} after 0.100 s" in found.found
    assert ("without a token" in found.found) is not with_token
