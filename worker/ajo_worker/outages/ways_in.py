"""What the patrol does to the dispatcher and to the broker's consumers."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import structlog
from ajo_producers.contract.batch import BadTrigger, decode_trigger
from ajo_producers.contract.sealing import BrokenSeal, Sealer, UnknownKey

from ajo_worker.ledger.clock import LedgerClock
from ajo_worker.outages.resumption import Resumed
from ajo_worker.triggers.campaign import KnownCampaign, as_sent, campaign_of
from ajo_worker.triggers.received import Received

log = structlog.get_logger("ajo_worker.outages")

Tap = Callable[[frozenset[str]], None]
"""Told which lanes' queues must not be consumed from."""
LeftBehind = Callable[[frozenset[UUID]], None]
"""Told which workers are dead, so that what they had taken from the broker can be given back."""


class Resumer(Protocol):
    """The dispatcher, as far as parked triggers are concerned."""

    @property
    def room(self) -> int:
        """How many more triggers may be opened."""

    def has(self, request_id: UUID) -> bool:
        """Whether a trigger is in hand."""

    def resume(self, received: Received) -> "asyncio.Task[None]":
        """Take a parked trigger whose next round was opened."""

    def give_back(self, lane: str) -> None:
        """Give the messages of a lane back that are not opened yet."""


@dataclass(frozen=True, slots=True)
class Unsealing:
    """Held payloads made triggers again."""

    campaigns: Mapping[str, KnownCampaign]
    clock: LedgerClock
    sealer: Callable[[], Sealer]

    def received(self, resumed: Resumed, *, probe: bool) -> Received | None:
        """The trigger; None if its payload can't be read here."""
        try:
            payload = self.sealer().open(resumed.key_id, resumed.payload)
            trigger = decode_trigger(payload, sealed=resumed.key_id is not None)
        except (UnknownKey, BrokenSeal, BadTrigger) as fault:
            log.warning("payload-unreadable", request_id=str(resumed.request_id), reason=str(fault))
            return None
        campaign = campaign_of(self.campaigns, trigger.campaign, resumed.call_digest)
        return Received(
            trigger=as_sent(trigger, campaign),
            payload=payload,
            batch_id=resumed.batch_id,
            producer=resumed.producer,
            enqueued_at=resumed.enqueued_at,
            received=self.clock.monotonic_at(resumed.round_opened_at),
            received_at=resumed.received_at,
            campaign=campaign,
            lane=resumed.lane,
            call_digest=resumed.call_digest,
            given=trigger.recipients,
            resumed=True,
            probe=probe,
        )


@dataclass(frozen=True, slots=True)
class WaysIn:
    """The ways in: resumed triggers, the taps of the lanes, and what dead workers left behind."""

    dispatcher: Resumer
    unsealing: Unsealing
    tap: Tap
    left_behind: LeftBehind
