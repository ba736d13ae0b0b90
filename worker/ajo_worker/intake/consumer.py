"""Celery's consumer, but what can't be read goes to quarantine, and only then is acknowledged."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from vine import promise

from ajo_worker.intake.events import TOGETHER
from ajo_worker.intake.receipt import queue_of
from ajo_worker.intake.reconnecting import ReconnectingConsumer
from ajo_worker.intake.unpacking import why_unread

AT_ONCE = 64
"""Messages of each queue that are taken in one turn of the hub."""
NOW, NEXT_TURN = 0.0, 0.000_5
"""Seconds until timers of the hub. What ``call_soon`` is given while a turn's calls are made, as where a long message
comes in parts, waits until something else happens: kombu's hub polls first (create_loop), for up to a second."""


class QuarantiningConsumer(ReconnectingConsumer):
    """Leaves Celery nothing that it would discard, or that would stop it; bodies it never sees."""

    def create_task_handler(self, *_: Any) -> Callable[[Any], None]:
        """Hands messages to the pool, some of each queue in turn: a backlog doesn't keep other queues waiting.

        Celery's own would make a request of each, and two events for Flower, for three times the CPU.
        """
        self.pool.consuming(self)
        arrived: dict[str, deque[Any]] = {}

        def take(message: Any) -> None:
            if (reason := why_unread(message)) is None:
                self.pool.take(message)
            else:
                self.pool.quarantine(message, reason)

        def take_some() -> None:
            for _ in range(AT_ONCE):
                for queue in list(arrived):
                    take(arrived[queue].popleft())
                    if not arrived[queue]:
                        del arrived[queue]
            if arrived:
                self.hub.call_later(NEXT_TURN, taking)

        def on_message(message: Any) -> None:
            self.pool.came(message)
            if not arrived:
                self.hub.call_later(NOW, taking)
            message.arrived = time.monotonic()
            arrived.setdefault(queue_of(message), deque()).append(message)

        taking = promise(take_some)

        def on_message_without_hub(message: Any) -> None:
            self.pool.came(message)
            take(message)

        return on_message if self.hub is not None else on_message_without_hub

    def on_send_event_buffered(self) -> None:
        """Called by the dispatcher when there are events: they go a moment later, together."""
        if self.hub is not None:
            self.hub.call_later(TOGETHER, self.send_events)

    def send_events(self) -> None:
        """Send what Flower was not told yet."""
        if self.event_dispatcher is not None:
            self.event_dispatcher.flush()

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """A header asks for unpacking it: kombu tells this in place of handing the message over."""
        self.pool.came(message)
        self.pool.quarantine(message, why_unread(message) or f"can't be decoded: {type(exc).__name__}")
