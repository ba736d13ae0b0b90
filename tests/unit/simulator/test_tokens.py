"""Access tokens: who gets one, and how long it is valid."""

import json
from dataclasses import dataclass

import pytest
from ajo_simulator.faults import CallFault, Hang, HugeBody, ResetBefore, Vanish
from ajo_simulator.scenario import TokenRules
from ajo_simulator.tokens import Tokens, fault_of

FORM = {"grant_type": "client_credentials", "client_id": "me", "client_secret": "secret", "scope": "openid"}


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_token_is_valid_until_it_has_lived_as_long_as_its_answer_said() -> None:
    clock = Clock()
    tokens = Tokens(monotonic=clock)
    status, body = tokens.answer(FORM, TokenRules(expires_in=60), 0.0)
    answer = json.loads(body)
    assert (status, answer["token_type"], answer["expires_in"]) == (200, "bearer", 60)
    header = f"Bearer {answer['access_token']}"
    clock.now += 59.9
    assert tokens.valid(header)
    clock.now += 0.1
    assert not tokens.valid(header)


def test_only_a_token_that_was_issued_is_valid() -> None:
    tokens = Tokens()
    assert not tokens.valid("Bearer invented")
    assert not tokens.valid("")


def test_every_token_is_another_one_and_counted() -> None:
    tokens = Tokens()
    issued = {json.loads(tokens.answer(FORM, TokenRules(), 0.0)[1])["access_token"] for _ in range(10)}
    assert len(issued) == tokens.issued == 10


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "unsupported_grant_type"),
        ({"client_id": ""}, "invalid_client"),
        ({"client_id": "you"}, "invalid_client"),
        ({"client_secret": "guessed"}, "invalid_client"),
        ({"client_secret": ""}, "invalid_client"),
        ({"scope": ""}, "invalid_scope"),
    ],
)
def test_a_wrong_form_gets_no_token_and_the_reason(changes: dict[str, str], error: str) -> None:
    tokens = Tokens("me", "secret")
    status, body = tokens.answer({**FORM, **changes}, TokenRules(), 0.0)
    assert (status, json.loads(body)) == (400, {"error": error})
    assert tokens.issued == 0


def test_without_a_client_that_was_named_any_gets_a_token_that_has_a_name() -> None:
    assert Tokens().answer({**FORM, "client_id": "anyone"}, TokenRules(), 0.0)[0] == 200
    assert Tokens().answer({**FORM, "client_id": ""}, TokenRules(), 0.0)[0] == 400


def test_the_endpoint_fails_in_its_time_and_only_then() -> None:
    tokens, rules = Tokens(), TokenRules(fail_status=503, from_=1, until=2)
    assert [tokens.answer(FORM, rules, seconds)[0] for seconds in (0.9, 1.0, 1.9, 2.0)] == [200, 503, 503, 200]
    assert tokens.answer(FORM, TokenRules(fail_status=429), 1e6)[0] == 429


def test_any_answer_can_be_scripted_with_a_token_that_is_valid() -> None:
    tokens = Tokens()
    odd = TokenRules(body='{"access_token": "{token}", "expires_in": "86399"}')
    status, body = tokens.answer(FORM, odd, 0.0)
    assert (status, json.loads(body)["expires_in"]) == (200, "86399")
    assert tokens.valid(f"Bearer {json.loads(body)['access_token']}")
    assert tokens.answer(FORM, TokenRules(body="oops", fail_status=502), 0.0) == (502, b"oops")


@pytest.mark.parametrize(
    ("rules", "fault"),
    [
        (TokenRules(), None),
        (TokenRules(silence="hang"), Hang()),
        (TokenRules(silence="vanish"), Vanish()),
        (TokenRules(silence="reset"), ResetBefore()),
        (TokenRules(silence="hang", from_=1), None),
        (TokenRules(bytes=300_000_000), HugeBody(bytes=300_000_000)),
    ],
)
def test_the_endpoint_is_silent_or_endless_as_scripted(rules: TokenRules, fault: CallFault | None) -> None:
    assert fault_of(rules, 0.0) == fault
