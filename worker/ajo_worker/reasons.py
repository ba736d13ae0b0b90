"""Why a trigger is in its state, and why something is kept back: the words of docs/states.md and docs/outages.md."""

from typing import Final, Literal, TypeAlias, get_args

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

OutageReason: TypeAlias = Literal[
    "campaign-failing",
    "cosmos-identity",
    "cosmos-key",
    "credentials-refused",
    "held",
    "no-answers",
    "proxy-failing",
    "suspected-cosmos",
    "sustained-failures",
    "token-unavailable",
]
OF_AN_OUTAGE: frozenset[OutageReason] = frozenset(get_args(OutageReason))
"""Reasons of ``ledger.outages``; a test holds what SQL says of each to these."""
NO_TOKEN: Final = "token-unavailable"  # noqa: S105 - a reason
"""Nothing is sent for want of a token: also a trigger's own reason."""
CREDENTIALS_REFUSED: Final = "credentials-refused"
"""The token endpoint refuses what we ask with."""
PROXY_FAILING: Final = "proxy-failing"
"""A destination, or the token endpoint, that our proxy doesn't let us reach."""
NO_ANSWERS: Final = "no-answers"
"""Nothing was answered at all: a single good answer, of whatever call, ends it."""
CAMPAIGN_FAILING: Final = "campaign-failing"
"""Adobe refuses what a campaign sends."""
HELD: Final = "held"
"""An operator keeps it back."""
OF_COSMOS: tuple[OutageReason, ...] = ("cosmos-identity", "cosmos-key", "suspected-cosmos")
OURS_TO_MEND: frozenset[OutageReason] = frozenset({CREDENTIALS_REFUSED, PROXY_FAILING, CAMPAIGN_FAILING, HELD})
"""What is kept back for these waits for us, and not for Adobe; so it does while it comes back."""
