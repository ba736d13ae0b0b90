"""Answers for a message that came from the broker.

A message may be away while what came with it goes on: given back to the broker before that would close the channel over
it, or left behind with a connection that broke. Then there is nothing to answer; the copy that comes takes its place.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from ajo_worker.intake.hub_calls import HubCalls


class Key(NamedTuple):
    """By what a copy is known: two messages that are alike in this are the same work."""

    queue: str
    body: bytes
    task: bool


class Answerable(Protocol):
    """A message that the broker waits for an answer to; on the hub's thread only."""

    def acknowledge(self, summary: str, *, failed: bool) -> None:
        """Everything in it has its state."""

    def give_back(self) -> None:
        """It goes back to its queue."""

    def lost(self) -> None:
        """Its channel is gone: it can't be answered."""

    def show_retry(self, retries: int, reason: str) -> None:
        """A trigger of it goes into another attempt."""


QUEUE = "queue"
"""What ``application.LaneQueue`` writes into a message's ``delivery_info``."""


def queue_of(message: Any) -> str:
    """The queue that a message was consumed from. Its routing key is its sender's to choose."""
    return str((message.delivery_info or {}).get(QUEUE, ""))


class Receipt:
    """The receipt of a message that the broker waits for; all but ``away`` changes on the hub's thread only."""

    __slots__ = ("_calls", "_message", "_on_end", "key")

    def __init__(self, message: Answerable, key: Key, calls: HubCalls, on_end: "Callable[[Receipt], None]") -> None:
        self.key = key
        self._message: Answerable | None = message
        self._calls = calls
        self._on_end = on_end

    @property
    def away(self) -> bool:
        """Whether the broker has the message again; read from any thread."""
        return self._message is None

    def take(self, copy: Answerable) -> None:
        """Answer for this copy from now on."""
        self._message = copy

    def give_back(self) -> None:
        """Give the message back to its queue, while what came with it goes on."""
        if (message := self._let_go()) is not None:
            message.give_back()

    def lose(self) -> None:
        """The message's channel is gone."""
        if (message := self._let_go()) is not None:
            message.lost()

    def retried(self, retries: int, reason: str) -> None:
        """Show a retry inside the process."""

        def show() -> None:
            if self._message is not None:
                self._message.show_retry(retries, reason)

        self._calls.soon(show)

    def done(self, summary: str) -> None:
        """Acknowledge."""
        self._finish(lambda message: message.acknowledge(summary, failed=False))

    def failed(self, summary: str) -> None:
        """Acknowledge, and show the task as failed."""
        self._finish(lambda message: message.acknowledge(summary, failed=True))

    def returned(self) -> None:
        """Give the message back to its queue: nothing goes on."""
        self._finish(lambda message: message.give_back())

    def _finish(self, answer: Callable[[Answerable], None]) -> None:
        def finish() -> None:
            try:
                if (message := self._let_go()) is not None:
                    answer(message)
            finally:
                self._on_end(self)

        self._calls.soon(finish)

    def _let_go(self) -> Answerable | None:
        message, self._message = self._message, None
        return message
