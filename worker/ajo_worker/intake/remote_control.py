"""Celery's remote control: its answers never keep the hub from its work, and its commands say what they do.

Celery's own go over a connection of their own too, but without end: an address is declared and awaited, and what can't
be sent is tried again for ever, in the hub.
"""

from typing import Any

import structlog
from celery.app.control import Control
from celery.app.control import Mailbox as CelerysMailbox
from kombu.pidbox import Node

log = structlog.get_logger("ajo_worker.intake")

_HOLD = "ajo-dispatch outage hold keeps triggers back, and AJO_LANES says which queues a worker has"
_SIZE = "AJO_MAX_IN_FLIGHT and AJO_PREFETCH say how much a worker has at once"
_LIMITS = "AJO_RATE_LIMIT_… and rate_limit of a campaign say how many calls a second there are"
WITHOUT_EFFECT = {
    "add_consumer": _HOLD,
    "cancel_consumer": _HOLD,
    "pool_grow": _SIZE,
    "pool_shrink": _SIZE,
    "pool_restart": "stop the worker and start it again",
    "autoscale": _SIZE,
    "rate_limit": _LIMITS,
    "time_limit": "AJO_ATTEMPT_TIMEOUT and budgets say how long a call may take",
}
"""Commands of Celery's that would change a worker where no setting, and no report, says so; and what does it here."""


class AnsweringNode(Node):  # type: ignore[misc] # kombu is typed in part
    """Answers over the events' connection; whoever asks has declared where to."""

    def handle(self, method: str, arguments: Any = None) -> Any:
        """Called by kombu with a command; gives its answer."""
        if (instead := WITHOUT_EFFECT.get(method)) is not None:
            log.warning("remote-control-refused", command=method, do=instead)
            return {"error": f"{method} has no effect: {instead}"}
        return super().handle(method, arguments)

    def reply(self, data: Any, exchange: str, routing_key: str, ticket: str, **_: Any) -> None:
        """Called by kombu with what a command gave."""
        if (dispatcher := self.state.consumer.event_dispatcher) is not None:
            dispatcher.answer(data, exchange, routing_key, ticket)


class Mailbox(CelerysMailbox):  # type: ignore[misc] # Celery ships no types
    """Celery's, with our node."""

    node_cls = AnsweringNode


class RemoteControl(Control):  # type: ignore[misc] # Celery ships no types
    """Celery's, with our mailbox."""

    Mailbox = Mailbox
