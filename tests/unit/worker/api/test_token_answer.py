"""What the token endpoint's answers are read as: leniently, told where something is assumed, and never a secret."""

import json
from typing import Any

import pytest
from ajo_worker.api.token_answer import LIFETIME, LONGEST, FetchFailed, Granted, read_answer
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import examples

SECRET = "p8e-hunter2-very-secret"


def answer(content: object, status: int = 200, media_type: str = "application/json") -> Granted:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return read_answer(status, media_type, body)


def granted(**more: Any) -> Granted:
    return answer({"access_token": "a.b.c", "token_type": "bearer", "expires_in": 86399} | more)


def refused(content: object, status: int = 200, media_type: str = "application/json") -> FetchFailed:
    with pytest.raises(FetchFailed) as caught:
        answer(content, status, media_type)
    return caught.value


@pytest.mark.parametrize(
    ("expires_in", "lifetime", "told"),
    [
        (86399, 86399.0, None),
        (86399.5, 86399.5, None),
        ("86399", 86399.0, None),
        (" 86399\n", 86399.0, None),
        ("86399.0", 86399.0, None),
        (1, 1.0, None),
        (0.25, 1.0, None),
        (None, LIFETIME, "is null"),
        (0, LIFETIME, "is 0"),
        ("0", LIFETIME, "is 0"),
        (-1, LIFETIME, "is -1"),
        ("-86399", LIFETIME, "is -86399"),
        (86_399_000, 86_399.0, "is 86399000, which can't be seconds: taken as milliseconds"),
        (86_399_998, 86_399.998, "taken as milliseconds"),
        ("86399000", 86_399.0, "taken as milliseconds"),
        (LONGEST, LONGEST, None),
        (10**12, LIFETIME, "is 1e+12"),
        (10**30, LIFETIME, "is 1e+30"),
        ("soon", LIFETIME, "is no number"),
        ("", LIFETIME, "is no number"),
        ("1e5", LIFETIME, "is no number"),
        ("0x10", LIFETIME, "is no number"),
        ("NaN", LIFETIME, "is no number"),
        ("٣٠٠", LIFETIME, "is no number"),
        ("9" * 400, LIFETIME, "is no number"),
        (float("nan"), LIFETIME, "is no number"),
        (float("inf"), LIFETIME, "is no number"),
        (True, LIFETIME, "is no number"),
        ([86399], LIFETIME, "is no number"),
        ({"seconds": 86399}, LIFETIME, "is no number"),
    ],
)
def test_how_long_a_token_lives_is_read_or_assumed_and_told(
    expires_in: object, lifetime: float, told: str | None
) -> None:
    found = granted(expires_in=expires_in)
    assert found.lifetime == pytest.approx(lifetime)
    assert bool(found.remarks) == (told is not None)
    if told:
        assert told in found.remarks[0]
        assert found.remarks[0].startswith("expires_in")
        assert ("3,600 s" in found.remarks[0]) == (lifetime == LIFETIME)


def test_an_answer_that_doesnt_say_how_long_a_token_lives_is_told() -> None:
    assert answer({"access_token": "abc"}) == Granted(
        "abc", LIFETIME, ("expires_in is missing: the token is taken to live for 3,600 s",)
    )


def test_numbers_too_long_for_a_machine_cost_no_token() -> None:
    body = b'{"access_token":"abc","expires_in":%s,"created":%s}'
    for number in (b"1" * 5000, b"1e400", b"NaN", b"Infinity", b"-Infinity"):
        assert answer(body % (number, number)).text == "abc"


@pytest.mark.parametrize(
    ("token", "told"),
    [
        ("", "is empty"),
        ("  \t", "is empty"),
        (None, "no access_token"),
        (0, "is no text"),
        (["abc"], "is no text"),
        ("abc\n", "characters"),
        ("abc\r\nX-Evil: 1", "characters"),
        ("a b", "characters"),
        ("abc\x00", "characters"),
        ("abc\x7f", "characters"),
        ("tokén", "characters"),
        ("token…", "characters"),
        ("\ud800", "characters"),
    ],
)
def test_what_can_stand_in_no_header_is_no_token(token: object, told: str) -> None:
    fault = refused({"access_token": token, "expires_in": 86399})
    assert told in str(fault)
    assert str(fault).startswith("token endpoint: status 200, but ")
    assert not fault.ours


@pytest.mark.parametrize("kind", ["bearer", "Bearer", "BEARER", " bearer ", None])
def test_a_bearer_token_is_nothing_unusual(kind: object) -> None:
    assert granted(token_type=kind).remarks == ()


@pytest.mark.parametrize(
    ("kind", "told"), [("mac", "(mac)"), ("DPoP", "(dpop)"), (SECRET, "not bearer:"), ("", "not bearer:"), (7, ":")]
)
def test_another_type_of_token_is_told_and_it_is_sent_all_the_same(kind: object, told: str) -> None:
    found = granted(token_type=kind)
    assert found.text == "a.b.c"
    (remark,) = found.remarks
    assert told in remark
    assert SECRET not in remark


@pytest.mark.parametrize(
    ("status", "content", "text", "ours"),
    [
        (200, {"error": "invalid_client"}, "status 200, invalid_client", True),
        (200, {"error": "invalid_scope", "error_description": SECRET}, "status 200, invalid_scope", True),
        (200, {"error": "temporarily_unavailable"}, "status 200, temporarily_unavailable", False),
        (200, {"error": SECRET}, "status 200, an error that RFC 6749 doesn't know", False),
        (200, {"error": {"code": 7, "message": SECRET}}, "status 200, an error that RFC 6749 doesn't know", False),
        (200, {"error": "invalid_client", "access_token": ""}, "status 200, invalid_client", True),
        (400, {"error": "invalid_client", "error_description": SECRET}, "status 400, invalid_client", True),
        (401, {"error": "unauthorized_client"}, "status 401, unauthorized_client", True),
        (400, {"error": "server_error"}, "status 400, server_error", False),
        (401, b"", "status 401", True),
        (403, b"<html>", "status 403", False),
        (400, b"<html>", "status 400", False),
        (403, {"error": "forbidden_by_us"}, "status 403, an error that RFC 6749 doesn't know", True),
        (404, b"", "status 404", True),
        (301, b"", "status 301: a redirect, which is not followed", True),
        (302, b"", "status 302: a redirect, which is not followed", False),
        (307, b"<html>", "status 307: a redirect, which is not followed", False),
        (307, {"error": "invalid_client"}, "status 307, invalid_client: a redirect, which is not followed", True),
        (308, b"", "status 308: a redirect, which is not followed", True),
        (408, b"", "status 408", False),
        (421, b"", "status 421", False),
        (423, b"", "status 423", False),
        (424, b"<html>", "status 424", False),
        (429, {"error": "slow_down"}, "status 429, an error that RFC 6749 doesn't know", False),
        (500, b"<html>", "status 500", False),
        (503, {"error": "temporarily_unavailable"}, "status 503, temporarily_unavailable", False),
        (503, {"access_token": "abc"}, "status 503", False),
        (204, b"", "status 204, but no JSON object", False),
        (200, b"", "status 200, but no JSON object", False),
        (200, b"[]", "status 200, but no JSON object", False),
        (200, b'"abc"', "status 200, but no JSON object", False),
        (200, b"[" * 100_000, "status 200, but no JSON object", False),
        (200, b"\xff\xfe\xfd", "status 200, but no JSON object", False),
        (200, {}, "status 200, but the answer holds no access_token", False),
    ],
)
def test_a_failure_is_told_by_its_status_and_its_word_and_whose_fault_it_is(
    status: int, content: object, text: str, ours: bool
) -> None:
    fault = refused(content, status)
    assert str(fault) == f"token endpoint: {text}"
    assert fault.ours == ours


def test_a_page_in_the_place_of_an_answer_is_told_by_its_type() -> None:
    assert str(refused(b"<html>log in", media_type="text/html; charset=utf-8")).endswith("no JSON object (text/html)")
    assert str(refused(b"<html>", media_type=f"text/{SECRET} {SECRET}")).endswith("no JSON object")


def test_a_token_counts_though_an_error_stands_beside_it() -> None:
    assert granted(error="").text == granted(error=None).text == granted(error="invalid_client").text == "a.b.c"


def test_a_byte_order_mark_and_utf_16_cost_no_token() -> None:
    text = json.dumps({"access_token": "abc", "expires_in": 60})
    for encoding in ("utf-8-sig", "utf-16"):
        assert answer(text.encode(encoding)) == Granted("abc", 60.0)


@pytest.mark.parametrize("status", [201, 203])
def test_any_success_gives_its_token(status: int) -> None:
    assert answer({"access_token": "abc", "expires_in": 60}, status) == Granted("abc", 60.0)


def test_a_form_is_read_as_json_is_and_told() -> None:
    body = b"access_token=abc%2Ed&token_type=bearer&expires_in=60&scope=openid"
    assert answer(body) == Granted("abc.d", 60.0, ("the answer is form-encoded, and no JSON",))
    with pytest.raises(FetchFailed, match="invalid_client") as failed:
        read_answer(400, "text/plain", b"error=invalid_client&error_description=x")
    assert failed.value.ours


@pytest.mark.parametrize(
    "body", [b"a=b", b"access_token", b"access_token=", b"&".join([b"a=b"] * 60), b"\xff=\xff", SECRET.encode()]
)
def test_what_is_no_form_with_a_token_is_none(body: bytes) -> None:
    with pytest.raises(FetchFailed, match="status 200"):
        answer(body)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(SECRET),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
contents = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("access_token", "expires_in", "token_type", "error", "error_description", "error_uri"), values
    ),
)


@settings(max_examples=examples(300))
@given(
    status=st.integers(200, 599),
    media_type=st.text(),
    body=st.binary()
    | values.map(lambda value: json.dumps(value).encode())
    | contents.map(lambda c: json.dumps(c).encode()),
)
def test_whatever_is_answered_gives_a_token_that_can_be_sent_or_a_reason_without_a_secret(
    status: int, media_type: str, body: bytes
) -> None:
    found: Granted | FetchFailed
    try:
        found = read_answer(status, media_type, body)
    except FetchFailed as fault:
        found = fault
    if isinstance(found, FetchFailed):
        assert str(found).startswith(f"token endpoint: status {status}")
        assert SECRET not in str(found)
        assert str(found).isascii()
    else:
        assert 200 <= status < 300
        assert 1.0 <= found.lifetime <= LONGEST
        assert found.text
        assert all("!" <= character <= "~" for character in found.text)
        assert not any(SECRET in remark for remark in found.remarks)


@settings(max_examples=examples(200))
@given(expires_in=st.floats(1, LONGEST), as_text=st.booleans())
def test_a_plausible_number_of_seconds_is_taken_as_it_is(expires_in: float, as_text: bool) -> None:
    found = granted(expires_in=f"{expires_in:.3f}" if as_text else expires_in)
    assert found.lifetime == pytest.approx(expires_in, abs=0.001)
    assert found.remarks == ()
