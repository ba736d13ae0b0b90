"""What an answer, or its absence, shows. Pure; docs/states.md has the table, from Adobe's contract and our policy."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from ajo_worker.api.answer import Answer, Failure
from ajo_worker.api.blame import Blame, blame, names_campaign
from ajo_worker.api.contents import is_page, json_object, uncompressed
from ajo_worker.api.cosmos import revocation
from ajo_worker.api.error_texts import error_texts, without_sent
from ajo_worker.api.repetition import is_conflict, says_repeated
from ajo_worker.api.retry_after import retry_after
from ajo_worker.api.verdict import Outcome, Verdict
from ajo_worker.reasons import (
    CAMPAIGN_REFUSED,
    OF_STATUS,
    RECIPIENT_REFUSED,
    REDIRECT,
    REFUSED,
    SERVER_ERROR,
    UNEXPECTED,
)

UNAUTHORIZED_CODES = frozenset({"401013", "403010"})
"""Gateway codes for an expired and a missing token (Adobe's gateway troubleshooting pages)."""

MOST_TEXT = 300
"""Characters that are kept of an error's title."""

MOST_BYTES = 1_000_000
"""Bytes of a compressed body that are read at most."""

ACCEPTED = 202

RETRYABLE_CLIENT_ERRORS = frozenset({408, 421, 423, 424, 425, 429})
"""What a later call may do: on another connection (421), once something is free (423), works again (424) or is known
(425). None of them says that this one was processed."""

TEMPORARY_REDIRECTS = frozenset({302, 307})
"""A page of maintenance, a login: the call is to be made here again later. The others say that the address is wrong, or
(303) that the call was taken somehow."""

# What may be personal or secret in an error's text: anything like an address or a phone number, and runs long enough to
# be a token.
_IDENTIFIER = re.compile(r"[\w-]{1,64}", re.ASCII)
_TOLD = re.compile(r"[A-Z]{2,16}-\d{1,8}-([45]\d\d)|([45]\d\d)\d{3}", re.ASCII)
_SENSITIVE = re.compile(r"\S+@\S+|[\w.~+/=-]{40,}|\+\d(?:[ ().-]{0,2}\d){6,}")


@dataclass(frozen=True, slots=True)
class SentCall:
    """What was sent: the trigger's id, the body, and whether the trigger was ``repeated``, after an earlier attempt."""

    request_id: UUID | None = None
    body: bytes = field(default=b"", repr=False)
    repeated: bool = False


NOTHING = SentCall()


def classify(result: Answer | Failure, *, ambiguous_statuses: frozenset[int], asked: SentCall = NOTHING) -> Verdict:
    """What ``result`` shows. After ``ambiguous_statuses`` (retried ones) Adobe may all the same have accepted.

    What stands in the body that was sent is no evidence where an answer quotes it.
    """
    if isinstance(result, Answer):
        return _of_answer(result, ambiguous_statuses, asked)
    if result.status is not None:  # the status line says what matters most, whatever became of the rest
        elapsed = result.elapsed
        cut = Answer(result.status, result.headers, result.body, elapsed, elapsed, truncated=bool(result.body))
        return _of_answer(cut, ambiguous_statuses, asked)
    return Verdict("retryable", ambiguous=result.perhaps_processed, reason=result.kind, failure=result.kind)


def _of_answer(answer: Answer, ambiguous_statuses: frozenset[int], asked: SentCall) -> Verdict:
    status, headers = answer.status, answer.headers
    body = uncompressed(answer.body, headers.get("content-encoding", ""), MOST_BYTES)
    document = json_object(body)
    execution_id = _execution_id(document)
    code = _error_code(document)
    # 202 is the one documented success. Adobe's pages on Live activities show 200, with an id, for the same calls.
    accepted = (200 <= status < 300 and bool(execution_id)) or (  # noqa: PLR2004 - HTTP's class of successes
        status == ACCEPTED and not is_page(body) and not _says_error(document, code)
    )
    known = Verdict(
        "accepted",
        http_status=status,
        adobe_request_id=_identifier(headers.get("x-request-id")),
        answered_request_id=_other_request(document.get("requestId"), asked.request_id),
        execution_id=execution_id if accepted else None,
    )
    if accepted:
        return known
    revoked = None
    if status != ACCEPTED:
        revoked = revocation(_whole(headers, body), asked.body, truncated=answer.truncated)
    outcome, ambiguous, reason = _meaning(_as_told(status, code), code, ambiguous_statuses)
    whose: Blame | None = None
    if revoked:  # whatever the status (403 in Adobe's own logs): every call fails until somebody repairs it
        outcome, ambiguous, reason = "retryable", False, revoked.outage
    elif (outcome == "refused" or status >= 500) and not ambiguous:  # noqa: PLR2004 - HTTP's class of server errors
        texts = error_texts(document, body, asked.body)
        if is_conflict(code) or (asked.repeated and says_repeated(texts)):
            outcome, ambiguous, reason = "refused", True, OF_STATUS[409]
        elif outcome == "refused":
            whose = blame(status, code, texts)
            if whose == "recipient":
                reason = RECIPIENT_REFUSED
            elif whose == "campaign" and names_campaign(code, texts):
                reason = CAMPAIGN_REFUSED
    return replace(
        known,
        outcome=outcome,
        ambiguous=ambiguous,
        reason=reason,
        retry_after=retry_after(headers) if outcome == "retryable" else None,
        error_code=code if code is None or _IDENTIFIER.fullmatch(code) else without_sent(code, asked.body),
        error_title=_text(document.get("title") or document.get("message"), asked.body),
        outage=revoked.outage if revoked else None,
        key_status=revoked.key_status if revoked else None,
        blame=whose,
    )


def _whole(headers: Mapping[str, str], body: bytes) -> bytes:
    """Headers and body: a gateway may tell why in either. The body last, for it may be cut."""
    return b"\n".join([*(value.encode(errors="replace") for value in headers.values()), body])


def _as_told(status: int, code: str | None) -> int:
    """The status that a refusal's code ends with, or begins with at the gateway, where that says more than the line.

    Whoever passes Adobe's error on may give it another status: a call that is to be tried again, or with a fresh token,
    would be refused for good.
    """
    if not 400 <= status < 500 or status in RETRYABLE_CLIENT_ERRORS or not (told := _TOLD.fullmatch(code or "")):  # noqa: PLR2004 - HTTP's numbers
        return status
    says = int(told[1] or told[2])
    return says if says in {401, 429} or says >= 500 else status  # noqa: PLR2004 - HTTP's numbers


def _meaning(status: int, code: str | None, ambiguous_statuses: frozenset[int]) -> tuple[Outcome, bool, str]:
    if status == ACCEPTED:  # and yet it says something else: nobody knows whether it was
        return "refused", True, UNEXPECTED
    if status == 401 or code in UNAUTHORIZED_CODES:  # noqa: PLR2004 - HTTP's number for it
        return "unauthorized", False, OF_STATUS[401]
    if status >= 500 or status in RETRYABLE_CLIENT_ERRORS:  # noqa: PLR2004 - HTTP's class of server errors
        return "retryable", status in ambiguous_statuses, OF_STATUS.get(status, SERVER_ERROR)
    if status == 409:  # noqa: PLR2004 - perhaps this requestId was accepted before
        return "refused", True, OF_STATUS[409]
    if 200 <= status < 300:  # noqa: PLR2004 - undocumented successes: nothing says what they mean
        return "refused", True, UNEXPECTED
    if 300 <= status < 400:  # noqa: PLR2004 - never followed: the token would go along
        return "retryable" if status in TEMPORARY_REDIRECTS else "refused", False, REDIRECT
    return "refused", False, OF_STATUS.get(status, REFUSED)


def _error_code(document: Mapping[str, Any]) -> str | None:
    """The service's code is the end of the error's type, the gateway's a field of its own."""
    kind = document.get("type")
    if isinstance(kind, str) and kind:
        return _text(kind.rstrip("/").rpartition("/")[2])
    code = document.get("error_code")
    return _text(str(code)) if isinstance(code, str | int) else None


def _says_error(document: Mapping[str, Any], code: str | None) -> bool:
    """Whether a document is one of Adobe's errors, or of a gateway's: by its code, or by a status of its own."""
    status = document.get("status")
    failed = isinstance(status, int) and 400 <= status < 600  # noqa: PLR2004 - HTTP's classes of errors
    return failed or "error_code" in document or _TOLD.fullmatch(code or "") is not None


def _execution_id(document: Mapping[str, Any]) -> str | None:
    value = document.get("executionId")
    return _identifier(value.strip()) if isinstance(value, str) else None


def _other_request(value: object, ours: UUID | None) -> str | None:
    """The ``requestId`` of an answer, unless it is ours: in its usual form, if it is a UUID."""
    if ours is None or not isinstance(value, str) or value == str(ours) or not value.strip():
        return None
    try:
        found = UUID(value.strip())
    except ValueError:
        return _identifier(value.strip())
    return None if found == ours else str(found)


def _identifier(value: object) -> str | None:
    """An id as it is, if it looks like one: ``HUMA-`` and a UUID has 41 characters, and no token is that short."""
    return value if isinstance(value, str) and _IDENTIFIER.fullmatch(value) else _text(value)


def _text(value: object, sent: bytes = b"") -> str | None:
    """Text of a foreign system as it may be kept: short, without what looks like an address, a number or a token.

    Adobe quotes what it finds fault with: what was ``sent`` of recipients is not kept either.
    """
    if not isinstance(value, str) or not value:
        return None
    return _SENSITIVE.sub("…", without_sent(value[: 4 * MOST_TEXT], sent))[:MOST_TEXT]
