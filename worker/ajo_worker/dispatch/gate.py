"""What keeps a campaign's triggers back: asked before each attempt, told of each answer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ajo_worker.api.verdict import Verdict
from ajo_worker.reasons import OwnReason
from ajo_worker.triggers.campaign import KnownCampaign
from ajo_worker.triggers.received import Received
from ajo_worker.triggers.urgency import Urgency


@dataclass(frozen=True, slots=True)
class KeptBack:
    """Nothing may be sent for now: of a destination, of one campaign, or (without a token) at all, not even a probe."""

    reason: OwnReason
    of_campaign: bool = False
    of_probes: bool = False


class Gate(Protocol):
    """Whether a campaign's triggers may be sent."""

    def kept_back(self, campaign: KnownCampaign) -> KeptBack | None:
        """Why they may not; None if they may."""

    def kept_back_since(self, campaign: KnownCampaign, moment: datetime) -> bool:
        """Whether anything kept them back at ``moment``, by the ledger's clock, or later."""

    def waits_in_broker(self, lane: str) -> bool:
        """Whether this lane's queues are not consumed from; what came through one of them goes back there."""

    def wants_any(self, campaign: KnownCampaign) -> bool:
        """Whether a probe waits for a trigger of this destination."""

    def wants_one(self, campaign: KnownCampaign) -> bool:
        """Whether a trigger that comes while its whole lane is kept back is to be parked, for a probe to send."""

    def answers_take(self, campaign: KnownCampaign) -> float:
        """Seconds within which nearly all answers of its destination have come of late; 0 if nothing is known."""

    def sends(self, received: Received, dispatched: float) -> None:
        """A call is about to be sent, at this monotonic instant."""

    def saw(self, received: Received, verdict: Verdict, dispatched: float) -> None:
        """An attempt that was sent at ``dispatched`` (monotonic) has shown this."""


class HeldUp(Exception):  # noqa: N818 - not an error: an outage, or an operator
    """The trigger may not go on to its attempt: ``back`` says why."""

    def __init__(self, back: KeptBack) -> None:
        super().__init__(back.reason)
        self.back = back


class SentBack(Exception):  # noqa: N818 - not an error: enough of them wait here
    """The trigger is to wait elsewhere, until its destination answers."""


class Turn(Protocol):
    """The right to make one first attempt at a destination that answers nothing."""

    def over(self) -> None:
        """The attempt was made ready, or given up; harmless when repeated."""


class Silence(Protocol):
    """Whether destinations answer at all. It is told of each call."""

    def silent(self, campaign: str) -> bool:
        """Whether nothing is heard from a campaign's destination."""

    async def turn(self, received: Received, urgency: Urgency) -> Turn | None:
        """Wait until it answers (None), or for a turn to try it.

        Raises:
            HandedBack: the worker is stopping.
            SentBack: too many wait.
        """

    def began(self, received: Received) -> None:
        """A call begins."""

    def ended(self, received: Received, *, answered: bool) -> None:
        """It ended; ``answered`` with any status."""
