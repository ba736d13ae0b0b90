"""Celery's consumer, but what it would drop as unreadable goes to quarantine, and only then is acknowledged."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from kombu import compression
from vine import promise

from ajo_worker.intake.reconnecting import ReconnectingConsumer

AT_ONCE = 4
"""Messages of each queue that are taken in one turn of the hub."""


class QuarantiningConsumer(ReconnectingConsumer):
    """Overrides the four ways in which Celery discards a message, and the one in which a message stops Celery."""

    def create_task_handler(self, *arguments: Any) -> Callable[[Any], None]:
        """Celery's own handler, which takes some of each queue in turn: a backlog doesn't keep other queues waiting.

        What it can't take, such as headers without an id, must not end its loop.
        """
        self.pool.consuming(self)
        handle = super().create_task_handler(*arguments)
        arrived: dict[str, deque[Any]] = {}

        def take(message: Any) -> None:
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
            arrived.setdefault(_queue_of(message), deque()).append(message)

        taking = promise(take_some)
        return on_message if self.hub is not None else take

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """The body is not JSON, or a header asks for unpacking it."""
        self._quarantine(message, f"can't be decoded: {type(exc).__name__}")

    def on_unknown_message(self, body: Any, message: Any) -> None:  # noqa: ARG002 - Celery's signature
        """Not a task message at all."""
        self._quarantine(message, "not a task message: the header `task` is missing")

    def on_unknown_task(self, body: Any, message: Any, exc: Exception) -> None:  # noqa: ARG002 - Celery's signature
        """A task that this worker doesn't have."""
        self._quarantine(message, "the header `task` names another task")

    def on_invalid_task(self, body: Any, message: Any, exc: Exception) -> None:  # noqa: ARG002 - Celery's signature
        """A content type that is refused (pickle is never loaded), or a malformed task message."""
        self._quarantine(message, f"refused: {type(exc).__name__}")

    def _quarantine(self, message: Any, reason: str) -> None:
        self.pool.quarantine(message, reason)


def _queue_of(message: Any) -> str:
    return (message.delivery_info or {}).get("routing_key") or ""


def refuse_compression() -> None:
    """Have no message unpacked: 785 bytes may become a gigabyte, and kill every worker that takes them."""
    for kind in compression.encoders():
        compression.register(_refused, _refused, kind)


def _refused(_: bytes) -> bytes:
    raise ValueError("a compressed message")
