"""A trigger as it came from the broker, and what its admission says of it. Pure."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from uuid import UUID

from ajo_producers.campaigns.definition import Definition
from ajo_producers.campaigns.payload import PayloadCheck, window_problem
from ajo_producers.contract.trigger import Recipient, Trigger

from ajo_worker.api.request import Endpoint
from ajo_worker.ledger.admission import InsertState


@dataclass(frozen=True, slots=True)
class Campaign:
    """A definition with what a worker derives from it once."""

    definition: Definition
    check: PayloadCheck
    endpoint: Endpoint
    budget: float
    attempt_timeout: float


@dataclass(frozen=True, slots=True)
class Received:
    """One trigger in hand. ``received`` is the monotonic instant at which its message came."""

    trigger: Trigger
    payload: bytes
    batch_id: UUID
    producer: str
    enqueued_at: datetime
    received: float
    received_at: datetime
    campaign: Campaign | None
    lane: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a trigger is not sent at all."""

    state: InsertState
    reason: str


def refusal(received: Received, now: datetime) -> Refusal | None:
    """Whether the trigger must not be sent, as far as can be told before its first attempt."""
    trigger, campaign = received.trigger, received.campaign
    if campaign is None:
        return Refusal("rejected", "unknown-campaign")
    if trigger.expires_at is not None and trigger.expires_at <= now:
        return Refusal("expired", "expires-at")
    if window_problem(campaign.definition, now):
        return Refusal("rejected", "outside-window")
    if campaign.check.problems(trigger.recipients):
        return Refusal("rejected", "invalid-payload")
    return None


HASH_BYTES = 16


def recipient_hashes(recipients: tuple[Recipient, ...], key: bytes) -> str | None:
    """Keyed hashes of the recipients' ids as a ``bytea[]`` literal; None without a key.

    The same address gives the same hash whatever its case, so that one person can be looked up with the key alone.
    """
    if not key:
        return None
    digests = (
        blake2b(r.user_id.strip().lower().encode(), digest_size=HASH_BYTES, key=key).hexdigest() for r in recipients
    )
    return "{" + ",".join(f'"\\\\x{digest}"' for digest in digests) + "}"
