"""What Flower is told, over a connection of its own: it never keeps the hub from its work."""

from typing import Any

import structlog
from celery.app.events import Events
from celery.events.dispatcher import EventDispatcher

log = structlog.get_logger("ajo_worker.intake")

HEARTBEAT = "worker.heartbeat"


class FlowersEvents(Events):  # type: ignore[misc] # Celery ships no types
    """Celery's, with our dispatcher."""

    dispatcher_cls = "ajo_worker.intake.events:Dispatcher"


class Dispatcher(EventDispatcher):  # type: ignore[misc] # Celery ships no types
    """Sends an event once.

    Celery tries a worker's heartbeats again for ever, on a channel that is dead if the connection broke first: the hub
    did nothing else from then on, and no signal ended it. Here one that can't be sent is a broken connection: all of
    them are made anew. Other events are dropped until then; kept, they would be more and more.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{**options, "buffer_while_offline": False})

    def _publish(self, event: Any, producer: Any, routing_key: str, **_: Any) -> None:
        try:
            super()._publish(event, producer, routing_key, retry=False)
        except Exception as fault:
            if routing_key == HEARTBEAT:
                raise
            log.debug("event-dropped", event_type=routing_key, fault=type(fault).__name__)
