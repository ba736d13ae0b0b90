"""What an answer, or its absence, shows. Pure; docs/states.md has the table, from Adobe's contract and our policy."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from ajo_worker.api.answer import Answer, Failure
from ajo_worker.api.blame import blame
from ajo_worker.api.cosmos import revocation
from ajo_worker.api.verdict import Outcome, Verdict

UNAUTHORIZED_CODES = frozenset({"401013", "403010"})
"""Gateway codes for an expired and a missing token (Adobe's gateway troubleshooting pages)."""

MOST_TEXT = 300
"""Characters that are kept of an error's title."""

LONGEST_RETRY_AFTER = 366 * 86_400.0
"""Seconds; whoever asks for more than a year means never."""

REASONS = {
    400: "bad-request",
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    408: "request-timeout",
    409: "conflict",
    413: "too-large",
    415: "unsupported-media-type",
    422: "unprocessable",
    429: "rate-limited",
    502: "bad-gateway",
    503: "unavailable",
    504: "gateway-timeout",
}
RECIPIENT_REFUSED = "recipient-refused"
"""The reason where the answer names the recipient's fault, whatever its status."""
RETRYABLE_CLIENT_ERRORS = frozenset({408, 429})

# What may be personal or secret in an error's text: anything like an address, and runs long enough to be a token.
_IDENTIFIER = re.compile(r"[\w-]{1,64}", re.ASCII)
_SENSITIVE = re.compile(r"\S+@\S+|[\w.~+/=-]{40,}")


def classify(result: Answer | Failure, *, ambiguous_statuses: frozenset[int], sent: bytes = b"") -> Verdict:
    """What ``result`` shows. After ``ambiguous_statuses`` (retried ones) Adobe may all the same have accepted.

    ``sent`` is the body of the call: what stands in it is no evidence where an answer quotes it.
    """
    if isinstance(result, Answer):
        return _of_answer(result, ambiguous_statuses, sent)
    if result.status is not None:  # the status line says all that matters, whatever became of the body
        bare = Answer(result.status, {}, b"", result.elapsed, result.elapsed)
        return _of_answer(bare, ambiguous_statuses, sent)
    return Verdict("retryable", ambiguous=result.perhaps_processed, reason=result.kind, failure=result.kind)


def _of_answer(answer: Answer, ambiguous_statuses: frozenset[int], sent: bytes) -> Verdict:
    status, headers = answer.status, answer.headers
    document = _document(answer.body)
    gateway_request = _identifier(headers.get("x-request-id"))
    if status == 202:  # noqa: PLR2004 - the one documented success
        return Verdict(
            "accepted",
            http_status=status,
            execution_id=_identifier(document.get("executionId")),
            adobe_request_id=gateway_request,
        )
    code, revoked = _error_code(document), revocation(_whole(answer), sent, truncated=answer.truncated)
    outcome, ambiguous, reason = _meaning(status, code, ambiguous_statuses)
    if revoked:  # whatever the status (403 in Adobe's own logs): every call fails until somebody repairs it
        outcome, ambiguous, reason = "retryable", False, revoked.outage
    whose = blame(status, code, document, answer.body, sent) if outcome == "refused" and not ambiguous else None
    if whose == "recipient":
        reason = RECIPIENT_REFUSED
    return Verdict(
        outcome,
        ambiguous=ambiguous,
        reason=reason,
        retry_after=retry_after(headers) if outcome == "retryable" else None,
        http_status=status,
        error_code=code,
        error_title=_text(document.get("title") or document.get("message")),
        adobe_request_id=gateway_request,
        outage=revoked.outage if revoked else None,
        key_status=revoked.key_status if revoked else None,
        blame=whose,
    )


def _whole(answer: Answer) -> bytes:
    """Headers and body: a gateway may tell why in either. The body last, for it may be cut."""
    return b"\n".join([*(value.encode(errors="replace") for value in answer.headers.values()), answer.body])


def _meaning(status: int, code: str | None, ambiguous_statuses: frozenset[int]) -> tuple[Outcome, bool, str]:
    if status == 401 or code in UNAUTHORIZED_CODES:  # noqa: PLR2004 - HTTP's number for it
        return "unauthorized", False, REASONS[401]
    if status >= 500 or status in RETRYABLE_CLIENT_ERRORS:  # noqa: PLR2004 - HTTP's class of server errors
        return "retryable", status in ambiguous_statuses, REASONS.get(status, "server-error")
    if status == 409:  # noqa: PLR2004 - perhaps this requestId was accepted before
        return "refused", True, REASONS[409]
    if 200 <= status < 300:  # noqa: PLR2004 - undocumented successes: nothing says what they mean
        return "refused", True, "unexpected-status"
    if 300 <= status < 400:  # noqa: PLR2004 - never followed: the token would go along
        return "refused", False, "redirect"
    return "refused", False, REASONS.get(status, "refused")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that ``Retry-After`` asks for (RFC 9110, 10.2.3): a number, or a date, seen from the answer's ``Date``.

    Nonsense gives None, a date in the past 0.
    """
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:12]), LONGEST_RETRY_AFTER)
    moment = _http_date(value)
    if moment is None:
        return None
    now = _http_date(headers.get("date", "")) or datetime.now(UTC)
    return min(max((moment - now).total_seconds(), 0.0), LONGEST_RETRY_AFTER)


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return {}
    return document if isinstance(document, dict) else {}


def _error_code(document: Mapping[str, Any]) -> str | None:
    """The service's code is the end of the error's type, the gateway's a field of its own."""
    kind = document.get("type")
    if isinstance(kind, str) and kind:
        return _text(kind.rstrip("/").rpartition("/")[2])
    code = document.get("error_code")
    return _text(str(code)) if isinstance(code, str | int) else None


def _identifier(value: object) -> str | None:
    """An id as it is, if it looks like one: ``HUMA-`` and a UUID has 41 characters, and no token is that short."""
    return value if isinstance(value, str) and _IDENTIFIER.fullmatch(value) else _text(value)


def _text(value: object) -> str | None:
    """Text of a foreign system as it may be kept: short, and without what looks like an address or a token."""
    if not isinstance(value, str) or not value:
        return None
    return _SENSITIVE.sub("…", value[: 4 * MOST_TEXT])[:MOST_TEXT]
