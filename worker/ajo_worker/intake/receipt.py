"""Answers for a message through Celery's own request: it acknowledges, and it tells Flower.

A message may be away while what came with it goes on: given back to the broker before that would close the channel over
it, or left behind with a connection that broke. Then there is nothing to answer; the copy that comes takes its place.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

from ajo_worker.intake.hub_calls import HubCalls


class Key(NamedTuple):
    """By what a copy is known: two messages that are alike in this are the same work."""

    queue: str
    body: bytes
    task: bool


def queue_of(message: Any) -> str:
    """The queue that a message came from."""
    return (message.delivery_info or {}).get("routing_key") or ""


class Receipt(ABC):
    """The receipt of a message that the broker waits for; all but ``away`` changes on the hub's thread only."""

    def __init__(self, message: Any, key: Key, calls: HubCalls, on_end: "Callable[[Receipt], None]") -> None:
        self.key = key
        self._message = message
        self._calls = calls
        self._on_end = on_end
        self._started = time.monotonic()

    @property
    def away(self) -> bool:
        """Whether the broker has the message again; read from any thread."""
        return self._message is None

    def take(self, copy: Any) -> None:
        """Answer for this copy from now on."""
        self._message = copy

    def give_back(self) -> None:
        """Give the message back to its queue, while what came with it goes on."""
        if (message := self.forget()) is not None:
            self._requeue(message)

    def forget(self) -> Any:
        """The message, which is not to be answered from now on: its channel is gone."""
        message, self._message = self._message, None
        return message

    def retried(self, retries: int, reason: str) -> None:
        """Show a retry inside the process."""
        self._calls.soon(lambda: self._show_retry(retries, reason))

    def done(self, summary: str) -> None:
        """Acknowledge."""
        self._finish(lambda message: self._acknowledge(message, summary, failed=False))

    def failed(self, summary: str) -> None:
        """Acknowledge, and show the task as failed."""
        self._finish(lambda message: self._acknowledge(message, summary, failed=True))

    def returned(self) -> None:
        """Give the message back to its queue: nothing goes on."""
        self._finish(self._requeue)

    def _finish(self, answer: Callable[[Any], None]) -> None:
        def finish() -> None:
            try:
                if (message := self.forget()) is not None:
                    answer(message)
            finally:
                self._on_end(self)

        self._calls.soon(finish)

    @abstractmethod
    def _acknowledge(self, message: Any, summary: str, *, failed: bool) -> None: ...

    @abstractmethod
    def _requeue(self, message: Any) -> None: ...

    @abstractmethod
    def _show_retry(self, retries: int, reason: str) -> None: ...


class RequestReceipt(Receipt):
    """Of a message that Celery knows as a task request."""

    def _acknowledge(self, message: Any, summary: str, *, failed: bool) -> None:
        message.ended(summary, time.monotonic() - self._started, failed=failed)

    def _requeue(self, message: Any) -> None:
        message.given_back()

    def _show_retry(self, retries: int, reason: str) -> None:
        if self._message is not None:  # Celery's own event: an invented type would set a wrong state
            self._message.send_event("task-retried", retries=retries, exception=reason)


class QuarantineReceipt(Receipt):
    """Of a message that never became a task request; unless it is kept, it is not acknowledged."""

    def _acknowledge(self, message: Any, summary: str, *, failed: bool) -> None:  # noqa: ARG002 - nobody is shown it
        message.ack()

    def _requeue(self, message: Any) -> None:
        message.requeue()

    def _show_retry(self, retries: int, reason: str) -> None:
        """Nothing to show: nothing is sent."""
