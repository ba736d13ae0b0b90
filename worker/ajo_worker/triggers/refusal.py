"""Why a trigger is not sent, or not now, as far as can be told before its first attempt. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ajo_producers.campaigns.definition import BeforeStart, Definition
from ajo_producers.campaigns.window import outside

from ajo_worker.campaigns.live_campaign import LiveCampaign, LiveStatus
from ajo_worker.reasons import OwnReason
from ajo_worker.states import InsertState
from ajo_worker.triggers.received import Received


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a trigger is not sent, or not now: a parked one may go on from ``resume_at``, or at once.

    ``in_vain`` is how long an attempt was waited for that was not made after all: seconds by the column of
    ledger.attempts that would have them.
    """

    state: InsertState
    reason: OwnReason
    resume_at: datetime | None = None
    in_vain: Mapping[str, float] = field(default_factory=dict, compare=False)


UNKNOWN = Refusal("parked", "definition-unknown")
"""What becomes of a trigger whose definition this worker lacks: another one may have it, now or later."""
EXPIRED = Refusal("expired", "expires-at")
"""What becomes of one whose own end has passed."""
NOT_LIVE: dict[LiveStatus, OwnReason] = {"ended": "campaign-ended", "not-live": "campaign-not-live"}
"""Reasons of triggers whose campaign Journey Optimizer says is over, or not activated."""


def refusal(
    received: Received, now: datetime, before_start: BeforeStart, live: LiveCampaign | None = None
) -> Refusal | None:
    """Whether the trigger must not be sent, as far as can be told before its first attempt.

    ``live`` is what Journey Optimizer says of the campaign, if it was asked.
    """
    trigger, campaign = received.trigger, received.campaign
    if trigger.expires_at is not None and trigger.expires_at <= now:
        return EXPIRED
    if campaign is None:
        return UNKNOWN
    if closed := _outside_window(campaign.definition, now, before_start):
        return closed
    if live is not None and live.status in NOT_LIVE:
        return Refusal("rejected", NOT_LIVE[live.status])
    if not campaign.check.fits(trigger.recipients):
        return Refusal("rejected", "invalid-payload")
    return None


def _outside_window(definition: Definition, now: datetime, before_start: BeforeStart) -> Refusal | None:
    match outside(definition, now):
        case None:
            return None
        case "before-start" if before_start == "wait":
            return Refusal("parked", "before-start", definition.start)
        case reason:
            return Refusal("rejected", reason)
