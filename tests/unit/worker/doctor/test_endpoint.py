"""What each step of the way to an endpoint says."""

import socket
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from ajo_worker.api.tunnel import ProxyFailed
from ajo_worker.doctor.check import Status
from ajo_worker.doctor.endpoint import (
    CHECKS,
    judge_certificate,
    judge_connection,
    judge_fault,
    judge_handshake,
    judge_health,
    judge_way,
    judge_ways,
)
from ajo_worker.network.destination import Destination
from ajo_worker.network.steps import Head
from ajo_worker.network.way import Step, Way
from ajo_worker.settings.proxies import DIRECT, Proxy, Route

DAY = 86_400.0
NOW = datetime(2026, 6, 1, tzinfo=UTC)
SECURE = Destination("api.example.com", "api.example.com", 443, True, "/ajo/im/health")
PLAIN = replace(SECURE, port=80, secure=False)
PROXIED = replace(SECURE, route=Route(Proxy("proxy.example.com", 3128, "us", "pw"), "HTTPS_PROXY"))
ANSWER = Head(200, None, 0.1, 0.0, 0.1)


def way(*steps: Step, fault: OSError | None = None) -> Way:
    """A way of these steps, of which the last failed if there is a fault."""
    made = steps[:-1] if fault else steps
    found = Way(dict.fromkeys(made, 0.1), ("192.0.2.1",), failed=steps[-1] if fault else None, fault=fault)
    if "tls" in made:
        found.tls_version, found.certificate_expires_at = "TLSv1.3", NOW + timedelta(days=90)
    if "first_byte" in made:
        found.answer = ANSWER
    return found


@pytest.mark.parametrize(
    ("destination", "found", "statuses"),
    [
        (SECURE, way("dns", "connect", "tls", "first_byte"), ["ok", "ok", "ok", "ok"]),
        (PLAIN, way("dns", "connect", "first_byte"), ["ok", "ok", "skipped", "ok"]),
        (SECURE, way("dns", "connect"), ["ok", "ok", "skipped", "skipped"]),
        (SECURE, way("dns", fault=OSError()), ["failed", "skipped", "skipped", "skipped"]),
        (PLAIN, way("dns", "connect", fault=OSError()), ["ok", "failed", "skipped", "skipped"]),
        (SECURE, way("dns", "connect", "tls", fault=OSError()), ["ok", "ok", "failed", "skipped"]),
        (SECURE, way("dns", "connect", "tls", "first_byte", fault=OSError()), ["ok", "ok", "ok", "failed"]),
    ],
)
def test_each_step_has_its_check_and_those_after_a_failed_one_are_skipped(
    destination: Destination, found: Way, statuses: list[Status]
) -> None:
    checks = judge_way(destination, found, 5.0, NOW, with_token=True)
    assert [check.check for check in checks] == [f"{name} api.example.com" for name in CHECKS.values()]
    assert [check.status for check in checks] == statuses


def test_a_step_that_met_our_own_limit_says_which_and_the_system_s_says_no_number() -> None:
    assert judge_fault("connect h", "connect", TimeoutError(), 5.0, DIRECT).found == "no answer within 5 s"
    assert judge_fault("connect h", "connect", TimeoutError(110, "timed out"), 5.0, DIRECT).found == "no answer"


def test_what_fails_before_the_proxys_tunnel_stands_is_told_of_the_proxy_and_what_names_it() -> None:
    for fault in (TimeoutError(), ConnectionRefusedError(111, "refused"), ProxyFailed("status 407")):
        check = judge_fault("connect h", "connect", fault, 5.0, PROXIED.route)
        assert check.found.startswith("the proxy proxy.example.com:3128: ")
        assert "correct HTTPS_PROXY" in str(check.advice)
    assert "proxy" not in judge_fault("tls h", "tls", ConnectionResetError(), 5.0, PROXIED.route).found
    dns, connect, *_ = judge_way(PROXIED, way("dns", "connect"), 5.0, NOW, with_token=True)
    assert dns.found == "the proxy proxy.example.com:3128: 192.0.2.1"
    assert connect.found == "a tunnel through the proxy proxy.example.com:3128 after 0.100 s"


def test_the_ways_of_all_destinations_are_told_with_what_says_so() -> None:
    ims = replace(SECURE, name="ims", host="ims.example.com", route=Route(None, "NO_PROXY"))
    assert judge_ways([PROXIED, ims, PROXIED]).found.split("; ") == [
        "through the proxy proxy.example.com:3128 (HTTPS_PROXY): api.example.com:443",
        "direct (NO_PROXY): ims.example.com:443",
    ]
    assert judge_ways([SECURE]).found == "direct: api.example.com:443"


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
