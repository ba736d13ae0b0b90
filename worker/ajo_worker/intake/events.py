"""What Flower and remote control are told, over a connection of its own: it never keeps the hub from its work.

While RabbitMQ's alarm of memory or disk is on, it reads nothing more of a connection that publishes; no confirm comes,
and no answer. What it would be told then is dropped: only whoever takes messages ends the alarm.
"""

import time
from typing import Any

import msgspec
import structlog
from celery.app.events import Events
from celery.events.dispatcher import EventDispatcher
from celery.utils.threads import bound_open_broker_sockets
from celery.utils.time import utcoffset
from kombu import Producer

log = structlog.get_logger("ajo_worker.intake")

HEARTBEAT, OF_TASKS = "worker.heartbeat", "task.multi"
"""Routing keys; the second one is Celery's for a list of events."""
TOGETHER = 0.25
"""Seconds for which events of tasks are gathered."""
MOST_TOGETHER = 500
LONGEST_WAIT, SHORT_WAIT = 10.0, 0.1
"""Seconds for which RabbitMQ is waited for; and where it gave no answer, or reads nothing of what we write."""


class FlowersEvents(Events):  # type: ignore[misc] # Celery ships no types
    """Celery's, with our sender."""

    dispatcher_cls = "ajo_worker.intake.events:EventSender"


class EventSender(EventDispatcher):  # type: ignore[misc] # Celery ships no types
    """Sends an event once, and those of tasks many at a time.

    Celery tries a worker's heartbeats again for ever, on a channel that is dead if the connection broke first: the hub
    did nothing else from then on, and no signal ended it. Here one that can't be sent is a broken connection: all of
    them are made anew. Other events are dropped until then; kept, they would be more and more.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{**options, "buffer_while_offline": False})
        self._told: list[dict[str, Any]] = []
        self._due = 0.0
        self._offset = utcoffset()
        self.blocked = False
        """Whether RabbitMQ reads nothing of what this writes."""
        self._answers: Any = None
        broker: Any = getattr(self.connection, "_connection", None)  # the property would connect
        if hasattr(broker, "on_blocked"):  # py-amqp's
            broker.on_blocked, broker.on_unblocked = self._publishers_blocked, self._publishers_go_on

    def _publishers_blocked(self, _: object) -> None:
        self.blocked = True
        bound_open_broker_sockets(self.connection, SHORT_WAIT)
        log.warning(
            "publishers-blocked",
            reason="RabbitMQ's alarm of memory or disk is on",
            do="free memory or disk: rabbitmq-diagnostics alarms says which; this worker goes on, unseen by Flower",
        )

    def _publishers_go_on(self) -> None:
        self.blocked = False
        bound_open_broker_sockets(self.connection, LONGEST_WAIT)
        log.info("publishers-go-on")

    def answer(self, reply: Any, exchange: str, routing_key: str, ticket: str) -> None:
        """Answer a command of remote control, on a channel of its own: an address that is wrong ends this one alone."""
        if self.blocked:
            return
        try:
            if self._answers is None:
                self._answers = Producer(self.connection.channel(), auto_declare=False, serializer=self.serializer)
            headers = {"ticket": ticket, "clock": self.clock.forward()}
            self._answers.publish(reply, exchange=exchange, routing_key=routing_key, headers=headers, retry=False)
        except Exception as fault:  # noqa: BLE001 - whoever asked asks again
            self._answers = None
            log.debug("answer-dropped", fault=type(fault).__name__)

    def tell(self, kind: str, task: str, **fields: Any) -> None:
        """Tell of a task what Celery would, with others of this moment; on the hub's thread only."""
        if not self.enabled or (self.groups and "task" not in self.groups):
            return
        now = time.time()
        always = {"type": kind, "uuid": task, "timestamp": now, "clock": self.clock.forward(), "pid": self.pid}
        self._told.append({**always, "hostname": self.hostname, "utcoffset": self._offset, **fields})
        if len(self._told) >= MOST_TOGETHER or self.on_send_buffered is None:
            self.flush()
        elif now >= self._due:  # or a timer that the hub has forgotten
            self._due = now + TOGETHER
            self.on_send_buffered()

    def flush(self, *arguments: Any, **options: Any) -> None:
        """Send what was gathered."""
        super().flush(*arguments, **options)
        told, self._told = self._told, []
        if told and self.enabled:
            self._offset = utcoffset()
            self._publish(msgspec.json.encode(told), self.producer, OF_TASKS)

    def _publish(self, event: Any, producer: Any, routing_key: str, **_: Any) -> None:
        if self.blocked:
            return
        try:
            if isinstance(event, bytes):
                self._publish_encoded(event, producer, routing_key)
            else:
                super()._publish(event, producer, routing_key, retry=False)
        except Exception as fault:
            if routing_key == HEARTBEAT:  # a refusal alone is no connection's fault to Celery's timers, but a log line
                raise ConnectionError(f"{type(fault).__name__}: {fault}") from fault
            log.debug("event-dropped", event_type=routing_key, fault=type(fault).__name__)

    def _publish_encoded(self, events: bytes, producer: Any, routing_key: str) -> None:
        if producer is not None:
            producer.publish(
                events,
                routing_key=routing_key,
                exchange=self.exchange.name,
                declare=[self.exchange],
                content_type="application/json",
                content_encoding="utf-8",
                headers=self.headers,
                delivery_mode=self.delivery_mode,
                retry=False,
            )
