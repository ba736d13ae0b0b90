"""A trigger as it came from the broker, and what its admission says of it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from operator import is_
from uuid import UUID

from ajo_producers.campaigns.definition import BeforeStart, Definition
from ajo_producers.campaigns.payload import PayloadCheck
from ajo_producers.contract.batch import Batch, decode_trigger
from ajo_producers.contract.content import content_of
from ajo_producers.contract.lanes import lane_of
from ajo_producers.contract.trigger import Recipient, Trigger
from msgspec import Struct, structs

from ajo_worker.api.live_campaign import LiveCampaign
from ajo_worker.api.request import Endpoint
from ajo_worker.dispatch.delivery import Delivery
from ajo_worker.ledger.admission import InsertState
from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.limits.turns import Urgency
from ajo_worker.recipients import bytea_array, recipient_hash
from ajo_worker.recipients import content_digest as recipients_digest


@dataclass(frozen=True, slots=True)
class Campaign:
    """A definition with what a worker derives from it once; ``attempt_timeout`` None: to the budget's end."""

    definition: Definition
    check: PayloadCheck
    endpoint: Endpoint
    budget: float
    attempt_timeout: float | None = None
    holds_ambiguous: bool = False

    @property
    def sends(self) -> tuple[str, ...]:
        """Call digests of the triggers that may be sent by this definition; those without one (``""``) come first."""
        return ("", self.check.call_digest, *self.definition.replaces)


def campaign_of(campaigns: Mapping[str, Campaign], name: str, digest: str) -> Campaign | None:
    """The campaign that a trigger is to be sent by: its own, unless the definition here leads to other calls."""
    campaign = campaigns.get(name)
    return campaign if campaign is not None and digest in campaign.sends else None


class Received(Struct, frozen=True):
    """One trigger in hand. ``received`` is the monotonic instant at which its message came, or its round was opened.

    ``campaign`` is None where its definition is unknown here; ``call_digest`` is that of the definition it must be sent
    by, empty if any of that name will do. ``given`` are its recipients as the message has them. ``came_by`` is the lane
    of the queue that it came through, ``unopened`` how many seconds its message waited until fewer triggers were under
    way. ``resumed``: it was parked, and no message stands behind it. ``probe``: it tries the way during an outage.
    """

    trigger: Trigger
    payload: bytes
    batch_id: UUID
    producer: str
    enqueued_at: datetime
    received: float
    received_at: datetime
    campaign: Campaign | None
    lane: str
    call_digest: str = ""
    given: tuple[Recipient, ...] = ()
    came_by: str = ""
    unopened: float = 0.0
    resumed: bool = False
    probe: bool = False

    @property
    def urgency(self) -> Urgency:
        """Whose turn it is before its first attempt; a retry of an urgent one is urgent as well."""
        if self.campaign is not None and self.campaign.definition.priority == "urgent":
            return Urgency.URGENT
        return Urgency.RESUMED if self.resumed else Urgency.FIRST


class Envelope(Struct, frozen=True):
    """What is the same for all triggers of a message that was opened; see ``Received``."""

    batch: Batch
    lane: str
    received: float
    received_at: datetime
    unopened: float

    @classmethod
    def of(cls, delivery: Delivery, batch: Batch, clock: LedgerClock, unopened: float) -> "Envelope":
        """That of a message which waited ``unopened`` seconds."""
        return cls(batch, lane_of(delivery.queue), delivery.received, clock.at(delivery.received), unopened)

    def trigger(self, payload: bytes, campaigns: Mapping[str, Campaign]) -> Received:
        """One of its triggers.

        Raises:
            BadTrigger: it can't be read.
        """
        trigger = decode_trigger(payload)
        digest = trigger.call_digest or ""
        campaign = campaign_of(campaigns, trigger.campaign, digest)
        return Received(
            trigger=as_sent(trigger, campaign),
            payload=payload,
            batch_id=self.batch.batch_id,
            producer=self.batch.producer,
            enqueued_at=self.batch.enqueued_at,
            received=self.received,
            received_at=self.received_at,
            campaign=campaign,
            lane=campaign.definition.lane if campaign else self.lane,
            call_digest=digest,
            given=trigger.recipients,
            came_by=self.lane,
            unopened=self.unopened,
        )


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a trigger is not sent, or not now: a parked one may go on from ``resume_at``, or at once.

    ``in_vain`` is how long an attempt was waited for that was not made after all: seconds by the column of
    ledger.attempts that would have them.
    """

    state: InsertState
    reason: str
    resume_at: datetime | None = None
    in_vain: Mapping[str, float] = field(default_factory=dict, compare=False)


def as_sent(trigger: Trigger, campaign: Campaign | None) -> Trigger:
    """The trigger with its campaign's defaults where it brings no value, and without blanks around addresses."""
    if campaign is None:
        return trigger
    as_sent = campaign.check.as_sent
    filled = tuple([as_sent(recipient) for recipient in trigger.recipients])
    if all(map(is_, filled, trigger.recipients)):
        return trigger
    return structs.replace(trigger, recipients=filled)


def refusal(
    received: Received, now: datetime, before_start: BeforeStart, live: LiveCampaign | None = None
) -> Refusal | None:
    """Whether the trigger must not be sent, as far as can be told before its first attempt.

    ``live`` is what Journey Optimizer says of the campaign, if it was asked.
    """
    trigger, campaign = received.trigger, received.campaign
    if trigger.expires_at is not None and trigger.expires_at <= now:
        return Refusal("expired", "expires-at")
    if campaign is None:
        return UNKNOWN
    if closed := _outside_dates(campaign.definition, now, before_start):
        return closed
    if live is not None and live.status in NOT_LIVE:
        return Refusal("rejected", NOT_LIVE[live.status])
    if campaign.check.problems(trigger.recipients):
        return Refusal("rejected", "invalid-payload")
    return None


UNKNOWN = Refusal("parked", "definition-unknown")
"""What becomes of a trigger whose definition this worker lacks: another one may have it, now or later."""
NOT_LIVE = {"ended": "campaign-ended", "not-live": "campaign-not-live"}
"""Reasons of triggers whose campaign Journey Optimizer says is over, or not activated."""


def _outside_dates(definition: Definition, now: datetime, before_start: BeforeStart) -> Refusal | None:
    if definition.end is not None and now >= definition.end:
        return Refusal("rejected", "campaign-ended")
    if definition.start is not None and now < definition.start:
        if before_start == "wait":
            return Refusal("parked", "before-start", definition.start)
        return Refusal("rejected", "before-start")
    return None


def content_digest(received: Received, key: bytes) -> bytes:
    """The keyed digest of its recipients and content as the message has them: defaults may change between copies."""
    trigger = received.trigger
    recipients = received.given or trigger.recipients
    return recipients_digest(content_of(trigger.campaign, recipients), trigger.request_id, key)


def recipient_hashes(recipients: tuple[Recipient, ...], key: bytes) -> str | None:
    """Keyed hashes of the recipients' ids as a ``bytea[]`` literal; None without a key."""
    return bytea_array([recipient_hash(recipient.user_id, key) for recipient in recipients]) if key else None
