"""Why a trigger is in its state: the words of docs/states.md, here once."""

from typing import Literal, TypeAlias, get_args

OwnReason: TypeAlias = Literal[
    "ambiguous-answer",
    "before-start",
    "budget-spent",
    "campaign-ended",
    "campaign-not-live",
    "campaign-paused",
    "clock-step",
    "confirmed-by-feedback",
    "definition-unknown",
    "expires-at",
    "invalid-payload",
    "outage",
    "payload-unreadable",
    "redrive",
    "retry-after-beyond-budget",
    "silence",
    "stray-answer",
    "token-unavailable",
    "worker-crash",
]
OWN: frozenset[OwnReason] = frozenset(get_args(OwnReason))
"""Reasons that are our own."""

OF_STATUS = {
    400: "bad-request",
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    408: "request-timeout",
    409: "conflict",
    413: "too-large",
    415: "unsupported-media-type",
    421: "misdirected",
    422: "unprocessable",
    423: "locked",
    424: "failed-dependency",
    425: "too-early",
    429: "rate-limited",
    502: "bad-gateway",
    503: "unavailable",
    504: "gateway-timeout",
}
RECIPIENT_REFUSED = "recipient-refused"
"""The reason where the answer names the recipient's fault, whatever its status."""
CAMPAIGN_REFUSED = "campaign-refused"
"""The same for the campaign's: stopped, ended, unknown, or not as it must be authored."""
SERVER_ERROR, UNEXPECTED, REDIRECT, REFUSED = "server-error", "unexpected-status", "redirect", "refused"
OF_AN_ANSWER = frozenset(
    {*OF_STATUS.values(), RECIPIENT_REFUSED, CAMPAIGN_REFUSED, SERVER_ERROR, UNEXPECTED, REDIRECT, REFUSED}
)
"""Reasons that an answer of Adobe's gives; what is neither these nor our own is a failure on the way."""
