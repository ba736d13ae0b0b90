"""The token: its life, and what to do where none comes."""

import pytest
from ajo_worker.doctor.check import Status
from ajo_worker.doctor.token import judge_failure, judge_lifetime


@pytest.mark.parametrize(
    ("lifetime", "status", "text"),
    [
        (86_399.0, "ok", "fetched in 0.250 s; it expires in 23 h 59 min"),
        (3_600.0, "ok", "fetched in 0.250 s; it expires in 1 h 0 min"),
        (60.0, "ok", "fetched in 0.250 s; it expires in 60 s"),
        (1.0, "warning", "fetched in 0.250 s; it expires in 1 s"),
    ],
)
def test_a_token_should_outlive_a_budget(lifetime: float, status: Status, text: str) -> None:
    found = judge_lifetime(0.25, lifetime)
    assert (found.status, found.found) == (status, text)


@pytest.mark.parametrize(
    ("reason", "advised"),
    [
        ("token endpoint: status 400, invalid_client", "AJO_CLIENT_SECRET"),
        ("token endpoint: status 400, invalid_scope", "AJO_SCOPES"),
        ("token endpoint: status 403", "AJO_TOKEN_URL"),
        ("token endpoint: status 503", "Adobe's status page"),
        ("token endpoint: status 302", "no token endpoint"),
        ("token endpoint: the answer holds no access_token", "no token endpoint"),
        ("token endpoint: ConnectError", "firewall"),
    ],
)
def test_each_reason_has_its_advice(reason: str, advised: str) -> None:
    found = judge_failure(reason)
    assert (found.status, found.found) == ("failed", reason)
    assert advised in str(found.advice)
