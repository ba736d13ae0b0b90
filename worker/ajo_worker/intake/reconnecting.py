"""No fault of the broker ends a worker: it says so once, waits with growing pauses, and goes on by itself.

Celery's own consumer ends its worker at whatever it doesn't know as a broken connection: a channel that RabbitMQ closed
(``consumer_timeout``, rights, a queue declared with other arguments), READONLY of a Redis that became a replica, a
password that was changed, a vhost that is stopped.
"""

import errno
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import random
from typing import Any

import structlog
from ajo_producers.contract.broker import QUEUE_GONE, read_broker
from amqp.exceptions import ConsumerCancelled
from celery.utils.threads import bound_open_broker_sockets
from celery.worker.consumer import Consumer
from celery.worker.state import maybe_shutdown
from kombu.common import ignore_errors
from pydantic import SecretStr

from ajo_worker.intake.consumer_timeout import timeout_used
from ajo_worker.intake.events import LONGEST_WAIT, SHORT_WAIT
from ajo_worker.intake.reading_ahead import read_ahead
from ajo_worker.intake.valkey import refuse_unfit
from ajo_worker.intake.valkey_unacked import MOST_TOLD
from ajo_worker.settings import renewed_as, settings

log = structlog.get_logger("ajo_worker.intake")

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds between two tries: twice as many after each that fails."""
LOOK_EVERY = 0.1
"""Seconds between looks whether the worker was told to stop meanwhile."""
CLOSING_SECONDS = 2.0
"""How long an answer is waited for where a connection broke, or at the end."""
_CREDENTIALS = re.compile(r"//[^/\s@]*@")


class FilesUsedUp(Exception):  # noqa: N818 - says what it is
    """No more files may be opened at the moment."""

    def __init__(self) -> None:
        super().__init__("this worker may open no more files: raise ulimit -n, or lower AJO_MAX_IN_FLIGHT")


@dataclass(slots=True)
class Pauses:
    """How long to wait until the broker is asked again. Instants are monotonic seconds."""

    _failures: int = 0
    _stands_since: float | None = None

    def stands(self, now: float) -> None:
        """Messages are consumed again."""
        self._stands_since = now

    def failed(self, now: float, jitter: Callable[[], float]) -> float:
        """Seconds to wait after this failure; ``jitter`` gives 0 to 1.

        Many workers must not come back at once. What stood for less than the longest pause was no success.
        """
        if self._stands_since is not None and now - self._stands_since > LONGEST_PAUSE:
            self._failures = 0
        self._stands_since = None
        bound = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return bound * (0.5 + jitter() / 2)


class ReconnectingConsumer(Consumer):  # type: ignore[misc] # Celery ships no types
    """Celery's consumer, to which every fault is a broken connection. Told to stop, it stops in any phase."""

    class Blueprint(Consumer.Blueprint):  # type: ignore[misc] # Celery ships no types
        """Celery's steps, but for its 28 queues of delayed messages: back-off happens in the process."""

        default_steps = tuple(
            step for step in Consumer.Blueprint.default_steps if not step.endswith(":DelayedDelivery")
        )

        def start(self, parent: Any) -> None:
            """Called by Celery to connect, and to consume until the connection breaks.

            Raises:
                FilesUsedUp: in place of the system's fault, at which Celery cuts off all that is in flight, and ends.
            """
            try:
                super().start(parent)
            except OSError as fault:
                if fault.errno == errno.EMFILE:
                    raise FilesUsedUp from fault
                raise

    connection: Any
    event_dispatcher: Any = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.connection_errors = (Exception,)
        self._broker = renewed_as(settings(), "broker_url", read_broker)
        self._pauses = Pauses()
        self._told: str | None = None
        self._broken_at = 0.0
        self._silent = False

    def connection_for_read(self, heartbeat: Any = None) -> Any:
        """Connect as the address is now: its password may have been rotated."""
        broker, known = self._broker.now(), settings().broker
        if broker.url != known.url and broker.kind == known.kind:
            settings().broker_url = SecretStr(broker.url)
            self.app.conf.update(broker_url=broker.url, broker_use_ssl=broker.ssl or None)
        return super().connection_for_read(heartbeat)

    def ensure_connected(self, conn: Any) -> Any:
        """Connect once: a failure goes the way of all others."""
        maybe_shutdown()
        conn.connect()
        refuse_unfit(conn)
        if conn.transport.driver_type == "amqp":
            bound_open_broker_sockets(conn, LONGEST_WAIT)  # a server that stands still keeps nobody for ever
        read_ahead(conn.connection)
        self.first_connection_attempt = False
        return conn

    def on_ready(self) -> None:
        """Called by Celery at each connection, once it consumes."""
        self._pauses.stands(time.monotonic())
        if self._told is not None:
            log.info("broker-back", seconds=round(time.monotonic() - self._broken_at, 1))
            self._told = None
        super().on_ready()

    def on_connection_error_before_connected(self, exc: Exception) -> None:
        """Wait, and leave the next try to Celery."""
        self._wait_after(exc)

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Close what is left of the connection, and wait. What is in flight goes on: its messages come again.

        That of events may be as dead, and Celery says farewell to it, twice, before it consumes again.
        """
        bound_open_broker_sockets(self.connection, CLOSING_SECONDS)
        if self.event_dispatcher is not None:
            bound_open_broker_sockets(self.event_dispatcher.connection, SHORT_WAIT)
        ignore_errors(self, self.connection.collect, CLOSING_SECONDS)
        connection, self.connection = self.connection, None
        ignore_errors(self, connection.close)
        self._wait_after(exc)

    def stop(self) -> None:
        """Called by Celery when the worker is to end: take no more messages."""
        self._wait_at_most(CLOSING_SECONDS)
        began = time.monotonic()
        super().stop()
        self._silent = time.monotonic() - began > CLOSING_SECONDS

    def shutdown(self) -> None:
        """Called by Celery at the end: a broker that didn't answer before is not waited for a dozen times more.

        What it doesn't hear of comes again, and is known.
        """
        self._wait_at_most(SHORT_WAIT if self._silent else CLOSING_SECONDS)
        super().shutdown()

    def _wait_at_most(self, seconds: float) -> None:
        bound_open_broker_sockets(self.connection, seconds)
        if (events := self.event_dispatcher) is not None:
            bound_open_broker_sockets(events.connection, SHORT_WAIT if events.blocked else seconds)

    def _wait_after(self, fault: Exception) -> None:
        pause, now = self._pauses.failed(time.monotonic(), random), time.monotonic()
        text = told(fault)
        if self._told is None:
            self._broken_at = now
        if text != self._told:
            self._told = text
            log.warning("broker-fault", fault=text, do="it is tried again with growing pauses; see ajo-dispatch doctor")
            if (used := timeout_used(text)) is not None:
                self.pool.consumer_timeout.used(used)
        else:
            log.debug("broker-fault", fault=text, pause=round(pause, 1))
        while (left := now + pause - time.monotonic()) > 0:
            maybe_shutdown()
            time.sleep(min(left, LOOK_EVERY))


def told(fault: Exception) -> str:
    """What went wrong, in a line without credentials. Pure."""
    if isinstance(fault, ConsumerCancelled):
        return QUEUE_GONE
    text = " ".join(_CREDENTIALS.sub("//…@", str(fault)).split())
    return f"{type(fault).__name__}: {text}"[:MOST_TOLD] if text else type(fault).__name__
