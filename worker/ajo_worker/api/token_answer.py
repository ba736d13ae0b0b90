"""What the token endpoint's answer means. Pure; nothing secret in any text.

Adobe's endpoint answers in the shape of RFC 6749, 5.1 and 5.2. What answers in its place (a proxy, a gateway, a page of
maintenance) does not, so everything is read leniently, and what had to be assumed is told.
"""

import json
import re
from dataclasses import dataclass, field
from math import isfinite
from typing import Any
from urllib.parse import parse_qsl

from ajo_worker.api.classify import RETRYABLE_CLIENT_ERRORS, TEMPORARY_REDIRECTS

LIFETIME = 3600.0
"""Seconds that a token is taken to live where the answer doesn't say; one that dies earlier is refused and replaced."""
LONGEST = 7 * 86_400.0
"""Seconds: Adobe's tokens live for a day. What is above this are milliseconds, as its older JWT endpoint gave them."""
OK = 200
MOST_FIELDS = 50
"""Of a form."""

THEIRS = frozenset({"server_error", "temporarily_unavailable"})
"""Error words (RFC 6749, 4.1.2.1) that are the endpoint's own fault, whatever their status."""
OURS = frozenset(
    {
        "access_denied",
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "unauthorized_client",
        "unsupported_grant_type",
    }
)
"""Error words (RFC 6749, 5.2) that don't get better until somebody corrects credentials or scopes."""
PASSING = RETRYABLE_CLIENT_ERRORS | TEMPORARY_REDIRECTS
"""Of the statuses below 500 those that get better by themselves, as those of calls do."""

KNOWN = OURS | THEIRS | {"unsupported_response_type"}
OTHER_TYPES = frozenset({"dpop", "jwt", "mac", "n_a", "pop"})
"""Types of tokens that may be named; another word in their place may be anything."""

_HEADER_TEXT = re.compile(r"[\x21-\x7e]+")
_MEDIA_TYPE = re.compile(r"[a-z0-9.+-]{1,40}/[a-z0-9.+-]{1,40}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,400}(\.[0-9]{1,400})?", re.ASCII)


class FetchFailed(Exception):  # noqa: N818 - says what it found
    """One fetch brought no token; the text is the reason, without anything secret.

    ``ours``: the endpoint works and refuses what it is asked with: credentials, scopes or address need to be corrected.
    ``by_proxy``: our proxy doesn't let us reach it.
    """

    def __init__(self, reason: str, *, ours: bool = False, by_proxy: bool = False) -> None:
        super().__init__(reason)
        self.ours, self.by_proxy = ours, by_proxy


@dataclass(frozen=True, slots=True)
class Granted:
    """A token that can be sent, how many seconds it lives, and what had to be assumed."""

    text: str = field(repr=False)
    lifetime: float
    remarks: tuple[str, ...] = ()


def read_answer(status: int, media_type: str, body: bytes) -> Granted:
    """The token that an answer holds; ``media_type`` is its content type.

    Raises:
        FetchFailed: it holds none that can be sent.
    """
    content, remark_on_form = _object(body), None
    if content is None and (content := _form(body)) is not None:
        remark_on_form = "the answer is form-encoded, and no JSON"
    word = _error_word(content)
    if not 200 <= status < 300:  # noqa: PLR2004 - HTTP's class of successes
        note = ": a redirect, which is not followed" if 300 <= status < 400 else ""  # noqa: PLR2004 - HTTP's numbers
        raise FetchFailed(f"token endpoint: status {status}{word and f', {word}'}{note}", ours=_ours(status, word))
    if content is None:
        raise _unreadable(status, f"no JSON object{_told_type(media_type)}")
    token = content.get("access_token")
    if word and not token:
        raise FetchFailed(f"token endpoint: status {status}, {word}", ours=_ours(status, word))
    if token is None:
        raise _unreadable(status, "the answer holds no access_token")
    if not isinstance(token, str):
        raise _unreadable(status, "the access_token is no text")
    if not token.strip():
        raise _unreadable(status, "the access_token is empty")
    if not _HEADER_TEXT.fullmatch(token):
        raise _unreadable(status, "the access_token has characters that no token has")
    lifetime, remark = _lifetime(content)
    remarks = (remark, _type_remark(content), remark_on_form)
    return Granted(token, lifetime, tuple(one for one in remarks if one))


def _lifetime(content: dict[str, Any]) -> tuple[float, str | None]:
    if "expires_in" not in content:
        return LIFETIME, _assumed("is missing")
    value = content["expires_in"]
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value.strip())
    if value is None:
        return LIFETIME, _assumed("is null")
    if not isinstance(value, float) or not isfinite(value):
        return LIFETIME, _assumed("is no number")
    if value <= 0:
        return LIFETIME, _assumed(f"is {value:g}")
    if value <= LONGEST:
        return max(value, 1.0), None
    if value / 1000 <= LONGEST:
        return value / 1000, f"expires_in is {value:.0f}, which can't be seconds: taken as milliseconds"
    return LIFETIME, _assumed(f"is {value:g}")


def _assumed(what: str) -> str:
    return f"expires_in {what}: the token is taken to live for {LIFETIME:,.0f} s"


def _type_remark(content: dict[str, Any]) -> str | None:
    kind = content.get("token_type")
    if kind is None or (isinstance(kind, str) and kind.strip().lower() == "bearer"):
        return None
    named = f" ({kind.lower()})" if isinstance(kind, str) and kind.lower() in OTHER_TYPES else ""
    return f"token_type is not bearer{named}: the token is sent as a bearer token all the same"


def _object(body: bytes) -> dict[str, Any] | None:
    """The JSON object, whatever Unicode it is in; numbers of any length are floats. None if it is none."""
    try:
        content = json.loads(body, parse_int=float)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _form(body: bytes) -> dict[str, Any] | None:
    """What a form holds, as drafts of OAuth and gateways that write answers anew give tokens; None if it is none."""
    try:
        content = dict(parse_qsl(body.decode().strip(), max_num_fields=MOST_FIELDS))
    except ValueError:
        return None
    return content if {"access_token", "error"} & content.keys() else None


def _error_word(content: dict[str, Any] | None) -> str:
    """The ``error`` word, if it is one of RFC 6749's. Nothing else of a failure is shown: it may quote a secret."""
    error = (content or {}).get("error")
    if isinstance(error, str) and error in KNOWN:
        return error
    return "an error that RFC 6749 doesn't know" if error else ""


def _ours(status: int, word: str) -> bool:
    """Whether the endpoint itself refuses what it is asked with. A 400 or 403 without a word may be a proxy's."""
    if word in OURS or word in THEIRS or not 300 <= status < 500:  # noqa: PLR2004 - HTTP's numbers
        return word in OURS
    return status not in PASSING and (bool(word) or status not in (400, 403))


def _unreadable(status: int, what: str) -> FetchFailed:
    return FetchFailed(f"token endpoint: status {status}, but {what}")


def _told_type(media_type: str) -> str:
    kind = media_type.partition(";")[0].strip().lower()
    return f" ({kind})" if _MEDIA_TYPE.fullmatch(kind) and kind != "application/json" else ""
