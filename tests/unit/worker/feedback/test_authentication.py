"""Who may post feedback, and who may not; no answer says what would have been right."""

import time
from typing import Any

import jwt
import pytest
from ajo_worker.feedback.authentication import BearerToken, SecretHeader, checks_of
from ajo_worker.settings import Settings
from ajo_worker.settings.source import SettingsError
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as ec_key
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from starlette.datastructures import Headers

from tests.support.feedback_items import SECRET

OTHER = "another secret, as long as the first one, and wrong"


@pytest.fixture(scope="module")
def rsa() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


def public(key: Any) -> str:
    return str(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def headers(*pairs: tuple[str, str]) -> Headers:
    return Headers(raw=[(name.encode(), value.encode()) for name, value in pairs])


def bearer(key: Any, algorithm: str = "HS256", **claims: Any) -> Headers:
    return headers(("authorization", f"Bearer {jwt.encode(claims, key, algorithm)}"))


@pytest.mark.parametrize(
    ("given", "good"),
    [
        (headers(("x-feedback-secret", SECRET)), True),
        (headers(("x-feedback-secret", OTHER)), False),
        (headers(("x-feedback-secret", SECRET[:-1])), False),
        (headers(("x-feedback-secret", "")), False),
        (headers(("x-feedback-secret", SECRET), ("x-feedback-secret", OTHER)), False),
        (headers(("authorization", SECRET)), False),
        (headers(), False),
    ],
)
def test_the_header_must_hold_the_secret_once(given: Headers, good: bool) -> None:
    refusal = SecretHeader("X-Feedback-Secret", SECRET)(given)
    assert (refusal is None) == good
    assert SECRET not in (refusal or "")


def test_a_secret_may_have_any_characters() -> None:
    assert SecretHeader("x-a", "größer")(headers(("x-a", "größer"))) is None


@pytest.mark.parametrize(
    ("seconds", "good"),
    [
        ({}, True),
        ({"exp": 3600}, True),
        ({"exp": -20}, True),  # clocks differ a little
        ({"exp": -3600}, False),
        ({"nbf": 3600}, False),
        ({"iat": -3600}, True),
    ],
)
def test_a_token_must_not_be_over(seconds: dict[str, float], good: bool) -> None:
    claims = {name: time.time() + offset for name, offset in seconds.items()}
    refusal = BearerToken(SECRET, "HS256")(bearer(SECRET, **claims))
    assert (refusal is None) == good, refusal


@pytest.mark.parametrize(
    ("given", "good"),
    [
        (bearer(SECRET, aud="somebody"), True),
        (bearer(OTHER), False),
        (bearer(SECRET, "HS384"), False),
        (headers(("authorization", f"Bearer {jwt.encode({}, None, 'none')}")), False),
        (headers(("authorization", f"bearer {jwt.encode({}, SECRET)}")), True),
        (headers(("authorization", f"Basic {jwt.encode({}, SECRET)}")), False),
        (headers(("authorization", "Bearer x")), False),
        (headers(("authorization", "Bearer ")), False),
        (headers(), False),
    ],
)
def test_a_token_must_be_signed_with_the_secret(given: Headers, good: bool) -> None:
    refusal = BearerToken(SECRET, "HS256")(given)
    assert (refusal is None) == good, refusal


def test_a_token_must_name_the_audience_if_one_is_set() -> None:
    check = BearerToken(SECRET, "HS256", audience="feedback")
    assert check(bearer(SECRET, aud="feedback")) is None
    assert check(bearer(SECRET, aud="other"))
    assert check(bearer(SECRET))


def test_a_public_key_takes_what_its_private_key_signed_and_never_itself_as_a_secret(rsa: RSAPrivateKey) -> None:
    (check,) = checks_of(Settings(feedback_jwt_public_key=public(rsa)))
    assert check(bearer(rsa, "RS256")) is None
    assert check(bearer(generate_private_key(65537, 2048), "RS256"))
    # The old trick: the public key as the secret of a symmetric algorithm.
    forged = jwt.api_jws.PyJWS().encode(b"{}", b"x" * 32, "HS256", {"typ": "JWT"})
    assert check(headers(("authorization", f"Bearer {forged}")))


def test_everything_that_is_set_must_be_right(rsa: RSAPrivateKey) -> None:
    assert checks_of(Settings()) == ()
    both = checks_of(Settings(feedback_secret=SECRET, feedback_jwt_secret=SECRET, feedback_secret_header="x-mine"))  # type: ignore[arg-type] # pydantic makes secrets of texts
    assert [type(check) for check in both] == [SecretHeader, BearerToken]
    assert SECRET not in repr(both)


def test_keys_that_cant_be_used_are_told_without_their_values(rsa: RSAPrivateKey) -> None:
    private = rsa.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    for given, told in (
        ({"feedback_jwt_secret": "short"}, "AJO_FEEDBACK_JWT_SECRET: must have at least 32 bytes"),
        ({"feedback_jwt_secret": SECRET, "feedback_jwt_public_key": public(rsa)}, "are both set: unset one"),
        ({"feedback_jwt_public_key": private}, "is no public key in PEM"),
        ({"feedback_jwt_public_key": public(ec_key(SECP256R1()))}, "must be an RSA key of 2048 bits or more"),
        ({"feedback_jwt_public_key": public(generate_private_key(65537, 1024))}, "must be an RSA key of 2048 bits"),
    ):
        with pytest.raises(SettingsError) as raised:
            checks_of(Settings(**given))  # type: ignore[arg-type] # pydantic makes secrets of texts
        assert told in str(raised.value)
        assert private[40:80] not in str(raised.value)
