"""The token: its life, and what to do where none comes."""

import pytest
from ajo_worker.doctor.check import Status
from ajo_worker.doctor.token import judge_failure, judge_token


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
    found = judge_token(0.25, lifetime, ())
    assert (found.status, found.found) == (status, text)


def test_what_had_to_be_assumed_of_a_token_is_told() -> None:
    found = judge_token(0.25, 3_600.0, ("expires_in is missing: the token is taken to live for 3,600 s",))
    assert found.status == "warning"
    assert "expires_in is missing" in found.found
    assert "AJO_TOKEN_URL" in str(found.advice)


@pytest.mark.parametrize(
    ("reason", "advised"),
    [
        ("token endpoint: status 400, invalid_client", "AJO_CLIENT_SECRET"),
        ("token endpoint: status 400, invalid_scope", "AJO_SCOPES"),
        ("token endpoint: status 403", "AJO_TOKEN_URL"),
        ("token endpoint: status 503", "Adobe's status page"),
        ("token endpoint: status 302", "no token endpoint"),
        ("token endpoint: status 200, but the answer holds no access_token", "no token endpoint"),
        ("token endpoint: status 200, invalid_client", "AJO_CLIENT_SECRET"),
        ("token endpoint: status 400, temporarily_unavailable", "Adobe's status page"),
        ("token endpoint: status 429", "who else does"),
        ("token endpoint: status 401", "AJO_CLIENT_ID"),
        ("token endpoint: no whole answer within 15 s", "firewall"),
        ("token endpoint: ConnectError", "firewall"),
    ],
)
def test_each_reason_has_its_advice(reason: str, advised: str) -> None:
    found = judge_failure(reason)
    assert (found.status, found.found) == ("failed", reason)
    assert advised in str(found.advice)
