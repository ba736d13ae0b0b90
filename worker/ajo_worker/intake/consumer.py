"""Celery's consumer, but what can't be read goes to quarantine, and only then is acknowledged."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from vine import promise

from ajo_worker.intake.receipt import queue_of
from ajo_worker.intake.reconnecting import ReconnectingConsumer
from ajo_worker.intake.unpacking import NO_ARGUMENTS, why_unread

AT_ONCE = 4
"""Messages of each queue that are taken in one turn of the hub."""


class QuarantiningConsumer(ReconnectingConsumer):
    """Leaves Celery nothing that it would discard, or that would stop it; bodies it never sees."""

    def create_task_handler(self, *arguments: Any) -> Callable[[Any], None]:
        """Celery's own handler, which takes some of each queue in turn: a backlog doesn't keep other queues waiting.

        What it can't take, such as an id that is a list, must not end its loop.
        """
        self.pool.consuming(self)
        handle = super().create_task_handler(*arguments)
        arrived: dict[str, deque[Any]] = {}

        def take(message: Any) -> None:
            if (reason := why_unread(message)) is not None:
                self._quarantine(message, reason)
                return
            message._decoded_cache = NO_ARGUMENTS
            try:
                handle(message)
            except (KeyError, TypeError, ValueError, AttributeError) as exc:
                self._quarantine(message, f"malformed: {type(exc).__name__}")

        def take_some() -> None:
            for _ in range(AT_ONCE):
                for queue in list(arrived):
                    take(arrived[queue].popleft())
                    if not arrived[queue]:
                        del arrived[queue]
            if arrived:
                self.hub.call_soon(taking)

        def on_message(message: Any) -> None:
            if not arrived:
                self.hub.call_soon(taking)
            message.arrived = time.monotonic()
            arrived.setdefault(queue_of(message), deque()).append(message)

        taking = promise(take_some)
        return on_message if self.hub is not None else take

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """A header asks for unpacking it: kombu tells this before it hands the message over."""
        self._quarantine(message, why_unread(message) or f"can't be decoded: {type(exc).__name__}")

    def on_invalid_task(self, body: Any, message: Any, exc: Exception) -> None:  # noqa: ARG002 - Celery's signature
        """Whatever else Celery can't make a request of."""
        self._quarantine(message, f"refused: {type(exc).__name__}")

    def _quarantine(self, message: Any, reason: str) -> None:
        self.pool.quarantine(message, reason)
