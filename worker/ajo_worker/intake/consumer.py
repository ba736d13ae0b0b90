"""Celery's consumer, but what it would drop as unreadable goes to quarantine, and only then is acknowledged."""

from collections.abc import Callable
from typing import Any

from kombu import compression

from ajo_worker.intake.reconnecting import ReconnectingConsumer


class QuarantiningConsumer(ReconnectingConsumer):
    """Overrides the four ways in which Celery discards a message, and the one in which a message stops Celery."""

    def create_task_handler(self, *arguments: Any) -> Callable[[Any], None]:
        """Celery's own handler; what it can't take, such as headers without an id, must not end its loop."""
        self.pool.consuming(self)
        handle = super().create_task_handler(*arguments)

        def on_message(message: Any) -> None:
            try:
                handle(message)
            except (KeyError, TypeError, ValueError, AttributeError) as exc:
                self._quarantine(message, f"malformed: {type(exc).__name__}")

        return on_message

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


def refuse_compression() -> None:
    """Have no message unpacked: 785 bytes may become a gigabyte, and kill every worker that takes them."""
    for kind in compression.encoders():
        compression.register(_refused, _refused, kind)


def _refused(_: bytes) -> bytes:
    raise ValueError("a compressed message")
