"""Celery's remote control, whose answers never keep the hub from its work.

Celery's own go over a connection of their own too, but without end: an address is declared and awaited, and what can't
be sent is tried again for ever, in the hub.
"""

from typing import Any

from celery.app.control import Control
from celery.app.control import Mailbox as CelerysMailbox
from kombu.pidbox import Node


class AnsweringNode(Node):  # type: ignore[misc] # kombu is typed in part
    """Answers over the events' connection; whoever asks has declared where to."""

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
