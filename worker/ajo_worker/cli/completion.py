"""What the shell completes in the worker's commands: names of campaigns, reasons, and what may be kept back.

Nothing here raises, reads the database or prints: the shell shows whatever comes, at each press of the key.
"""

import os

from ajo_producers.campaigns.folder import names_in
from ajo_producers.contract.lanes import LANES

from ajo_worker.api.classify import OF_AN_ANSWER

REASONS = (
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
    "stray-answer",
    "token-unavailable",
    "worker-crash",
    *OF_AN_ANSWER,
)
"""Why triggers are in the state that they are in (docs/states.md)."""


def campaign_names(incomplete: str) -> list[str]:
    """The campaigns of the folder that AJO_CAMPAIGNS names."""
    return names_in(os.environ.get("AJO_CAMPAIGNS") or "campaigns", incomplete)


def reasons(incomplete: str) -> list[str]:
    """The reasons that begin so."""
    return sorted(reason for reason in REASONS if reason.startswith(incomplete))


def scopes(incomplete: str) -> list[str]:
    """What an operator may keep back: lanes, campaigns, the token endpoint."""
    return [lane for lane in (*LANES, "token") if lane.startswith(incomplete)] + campaign_names(incomplete)
