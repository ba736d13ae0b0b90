"""A trigger as it came from the broker. Pure."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from ajo_producers.contract.batch import Batch, decode_trigger
from ajo_producers.contract.content import content_of
from ajo_producers.contract.lanes import lane_of
from ajo_producers.contract.trigger import Recipient, Trigger
from msgspec import Struct

from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.recipients import bytea_array, keyed_digest, recipient_hash
from ajo_worker.triggers.campaign import KnownCampaign, as_sent, campaign_of
from ajo_worker.triggers.delivery import Delivery
from ajo_worker.triggers.urgency import Urgency


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
    campaign: KnownCampaign | None
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


class Opened(Struct, frozen=True):
    """What is the same for all triggers of a message that was opened; see ``Received``."""

    batch: Batch
    lane: str
    received: float
    received_at: datetime
    unopened: float

    @classmethod
    def of(cls, delivery: Delivery, batch: Batch, clock: LedgerClock, unopened: float) -> "Opened":
        """That of a message which waited ``unopened`` seconds."""
        return cls(batch, lane_of(delivery.queue), delivery.received, clock.at(delivery.received), unopened)

    def trigger(self, payload: bytes, campaigns: Mapping[str, KnownCampaign]) -> Received:
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


def content_digest(received: Received, key: bytes) -> bytes:
    """The keyed digest of its recipients and content as the message has them: defaults may change between copies."""
    trigger = received.trigger
    recipients = received.given or trigger.recipients
    return keyed_digest(content_of(trigger.campaign, recipients), trigger.request_id, key)


def recipient_hashes(recipients: tuple[Recipient, ...], key: bytes) -> str | None:
    """Keyed hashes of the recipients' ids as a ``bytea[]`` literal; None without a key."""
    return bytea_array([recipient_hash(recipient.user_id, key) for recipient in recipients]) if key else None
