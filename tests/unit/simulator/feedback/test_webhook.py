"""How a call to the webhook says who it is."""

import jwt
import pytest
from ajo_simulator.feedback.rules import FeedbackRules
from ajo_simulator.feedback.webhook import TOKEN_LIFETIME, headers_of

KEY = "0123456789abcdef0123456789abcdef"
NOW = 1_793_700_000.5


def test_without_a_secret_there_is_nothing_but_the_type() -> None:
    assert headers_of(FeedbackRules(), NOW) == {"content-type": "application/json"}


def test_a_secret_is_in_its_header() -> None:
    assert headers_of(FeedbackRules(secret="hush"), NOW)["x-feedback-secret"] == "hush"
    assert headers_of(FeedbackRules(header="x-ours", secret="hush"), NOW)["x-ours"] == "hush"


def test_there_may_be_both() -> None:
    assert headers_of(FeedbackRules(secret="hush", jwt_secret=KEY), NOW).keys() == {
        "content-type",
        "x-feedback-secret",
        "authorization",
    }


def test_a_token_is_signed_and_ends() -> None:
    kind, token = headers_of(FeedbackRules(jwt_secret=KEY), NOW)["authorization"].split()
    assert kind == "Bearer"
    claims = jwt.decode(token, KEY, algorithms=["HS256"], options={"verify_exp": False, "verify_iat": False})
    assert claims == {"iat": int(NOW), "exp": int(NOW) + TOKEN_LIFETIME}
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, KEY[::-1], algorithms=["HS256"])
