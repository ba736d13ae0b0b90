"""A message in hand, and whom to tell what becomes of it."""

from dataclasses import dataclass, field
from typing import Any, Protocol


class Receipt(Protocol):
    """How the dispatcher answers for a message; every method may be called from the dispatcher's thread."""

    @property
    def away(self) -> bool:
        """Whether the broker has the message again while what came with it goes on."""

    def retried(self, retries: int, reason: str) -> None:
        """A trigger of the message goes into another attempt."""

    def done(self, summary: str) -> None:
        """Everything in the message has its state in the ledger: acknowledge it."""

    def failed(self, summary: str) -> None:
        """The same, but most of it is dead letters or in quarantine: acknowledge it, and show it as failed."""

    def returned(self) -> None:
        """Something in the message was not finished: give it back to the broker."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One broker message; ``received`` is the monotonic instant at which it came."""

    body: bytes = field(repr=False)
    headers: dict[str, Any] = field(repr=False)
    queue: str
    received: float
    receipt: Receipt
