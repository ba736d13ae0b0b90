"""Who may post is told by a token or a signature; no way around either, and no word on what was expected."""

import base64
import hmac
from collections.abc import Mapping

import pytest
from ajo_producers.events.authentication import by_signature, refusal_before_body, signature_refusal
from ajo_producers.events.settings import Admitted, read_admitted, read_intake
from ajo_producers.publishing.errors import SettingError
from starlette.datastructures import Headers

TOKEN, OTHER = "t" * 32, "o" * 32
KEY = b"k" * 24
WHSEC = f"whsec_{base64.b64encode(KEY).decode()}"
NOW = 1_790_000_000
BODY = b'{"id": "1"}'
BOTH = Admitted((TOKEN, OTHER), (KEY,))


def headers(**values: str) -> Headers:
    return Headers({name.replace("_", "-"): value for name, value in values.items()})


def signed(body: bytes = BODY, key: bytes = KEY, at: int = NOW, **changed: str) -> Headers:
    mac = base64.b64encode(hmac.digest(key, f"m-1.{at}.".encode() + body, "sha256")).decode()
    own = {"webhook_id": "m-1", "webhook_timestamp": str(at), "webhook_signature": f"v1,{mac}"}
    return headers(**{name: value for name, value in {**own, **changed}.items() if value})


@pytest.mark.parametrize(
    ("given", "admitted", "passes"),
    [
        (headers(authorization=f"Bearer {TOKEN}"), BOTH, True),
        (headers(authorization=f"bearer  {OTHER} "), BOTH, True),
        (headers(authorization=f"Bearer {TOKEN}x"), BOTH, False),
        (headers(authorization="Bearer größer"), BOTH, False),
        (headers(authorization=f"Basic {TOKEN}"), BOTH, False),
        (headers(authorization=TOKEN), BOTH, False),
        (headers(), BOTH, False),
        (signed(), BOTH, True),
        (signed(authorization="Bearer wrong"), BOTH, False),
        (signed(authorization="Basic of-a-proxy"), Admitted((), (KEY,)), True),
        (signed(), Admitted((TOKEN,), ()), False),
        (headers(authorization=f"Bearer {TOKEN}"), Admitted((), (KEY,)), False),
        (headers(authorization="Bearer "), Admitted((TOKEN,), ()), False),
    ],
)
def test_headers_are_enough_to_be_refused(given: Headers, admitted: Admitted, passes: bool) -> None:
    refusal = refusal_before_body(admitted, given)
    assert (refusal is None) == passes
    assert TOKEN not in str(refusal)
    assert OTHER not in str(refusal)


def test_two_tokens_are_not_tried_one_after_the_other() -> None:
    twice = Headers(raw=[(b"authorization", b"Bearer x"), (b"authorization", f"Bearer {TOKEN}".encode())])
    assert refusal_before_body(BOTH, twice) is not None


def test_a_token_is_no_signature() -> None:
    assert not by_signature(BOTH, signed(authorization=f"Bearer {TOKEN}"))
    assert by_signature(BOTH, signed())


@pytest.mark.parametrize(
    ("given", "body", "told"),
    [
        (signed(), BODY, None),
        (signed(webhook_signature=f"v1,AAAA v1a,x v1,! {signed()['webhook-signature']}"), BODY, None),
        (signed(at=NOW - 299), BODY, None),
        (signed(), BODY + b" ", "the signature is wrong"),
        (signed(key=b"x" * 24), BODY, "the signature is wrong"),
        (signed(webhook_id="m-2"), BODY, "the signature is wrong"),
        (signed(webhook_timestamp=str(NOW + 1)), BODY, "the signature is wrong"),
        (signed(webhook_signature="v2,AAAA"), BODY, "the signature is wrong"),
        (signed(at=NOW - 301), BODY, "sign anew"),
        (signed(at=NOW + 301), BODY, "sign anew"),
        (signed(webhook_id=""), BODY, "are needed, once each"),
        (signed(webhook_timestamp="soon"), BODY, "whole seconds"),
        (signed(webhook_timestamp="9" * 5000), BODY, "whole seconds"),
        (signed(webhook_timestamp="²"), BODY, "whole seconds"),
    ],
)
def test_a_signature_is_checked_over_all_that_it_signs(given: Headers, body: bytes, told: str | None) -> None:
    refusal = signature_refusal((b"other" * 6, KEY), given, body, NOW)
    assert (refusal is None) == (told is None)
    assert (told or "") in (refusal or "")


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({"AJO_EVENTS_TOKENS": "short"}, "at least 20 ASCII characters"),
        ({"AJO_EVENTS_TOKENS": f"{TOKEN} short"}, "at least 20 ASCII characters"),
        ({"AJO_EVENTS_SIGNING_SECRETS": "x" * 40}, "whsec_ and the base64"),
        ({"AJO_EVENTS_SIGNING_SECRETS": "whsec_AAAA"}, "whsec_ and the base64"),
        ({"AJO_EVENTS_SIGNING_SECRETS": "whsec_!"}, "whsec_ and the base64"),
        ({"AJO_EVENTS_TOKENS_FILE": "/nowhere"}, "can't be read"),
    ],
)
def test_a_secret_that_is_none_is_refused_and_not_shown(env: Mapping[str, str], told: str) -> None:
    with pytest.raises(SettingError, match=told) as caught:
        read_admitted(env)
    assert "short" not in str(caught.value)


def test_tokens_and_secrets_are_separated_by_blanks() -> None:
    env = {"AJO_EVENTS_TOKENS": f"{TOKEN}\n{OTHER}", "AJO_EVENTS_SIGNING_SECRETS": WHSEC}
    assert read_admitted(env) == BOTH
    assert not read_admitted({})
    assert TOKEN not in repr(BOTH)


@pytest.mark.parametrize(
    ("name", "value"),
    [("MAX_BYTES", "0"), ("MAX_BYTES", "many"), ("HEAD_SECONDS", "-1"), ("BODY_SECONDS", "nan"), ("PENDING", "1.5")],
)
def test_a_bound_that_is_none_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=f"AJO_EVENTS_{name}"):
        read_intake({f"AJO_EVENTS_{name}": value})


def test_bounds_come_from_the_environment() -> None:
    assert read_intake({"AJO_EVENTS_PENDING": "7", "AJO_EVENTS_BODY_SECONDS": "2.5"}).pending == 7
