"""Messages that were accepted, and what is told of each."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ajo_simulator.feedback.rules import Failure
from ajo_simulator.validation import Recipient

Status: TypeAlias = Literal["sent", "delay", "delivered", "bounce"]


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A call that was accepted.

    ``seconds`` is its instant since the scenario's start, ``accepted_at`` the same as seconds since 1970;
    ``gateway_id`` is the id that the gateway gave the call; ``attempt`` counts the calls of a request id from 1.
    """

    request_id: str
    gateway_id: str
    campaign_id: str
    execution_id: str
    attempt: int
    organization: str
    sandbox: str
    recipients: tuple[Recipient, ...] = field(repr=False)
    seconds: float
    accepted_at: float


@dataclass(frozen=True, slots=True)
class Message:
    """One accepted call's message to one recipient, and how it is told: see ``Course``."""

    acceptance: Acceptance
    number: int
    channel: str
    timestamps: bool
    told_request_id: str

    @property
    def recipient(self) -> Recipient:
        """Whom it is for."""
        return self.acceptance.recipients[self.number]


@dataclass(frozen=True, slots=True)
class Report:
    """One event of a message: when it happens and when it is told, as seconds since 1970."""

    message: Message
    status: Status
    happened_at: float
    told_at: float
    retry_count: int = 0
    failure: Failure | None = None
