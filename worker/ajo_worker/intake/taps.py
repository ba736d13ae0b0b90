"""Whether queues are consumed from: messages wait in the broker in an outage, or while too many bytes are in hand."""

import socket
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import structlog
from ajo_producers.contract.lanes import Lane, queue_names

from ajo_worker.identity import worker_id
from ajo_worker.intake.valkey_unacked import QoS

log = structlog.get_logger("ajo_worker.intake")


class Taps:
    """One for each queue; used on the hub's thread only."""

    def __init__(self, prefix: str, lanes: Iterable[Lane]) -> None:
        self._queues: dict[str, tuple[str, ...]] = {lane: queue_names(prefix, lane) for lane in lanes}
        self._paused: frozenset[str] = frozenset()
        self._heavy: frozenset[str] = frozenset()
        self._closed: set[str] = set()
        """Queues that are not consumed from."""
        self._consumer: Any = None
        self._dead: frozenset[UUID] = frozenset()

    def attach(self, consumer: Any) -> None:
        """Use this consumer of Celery's from now on; what was paused stays so, as Celery deselected its queues."""
        if self._consumer is None:
            self._consumer = consumer
            for queue in self._closed:
                consumer.cancel_task_queue(queue)
        self._consumer = consumer
        self.give_back_of(frozenset({worker_id()}))

    def turn(self, paused: frozenset[str]) -> None:
        """Consume from the queues of all lanes but these."""
        self._paused = paused
        self._settle()

    def weigh(self, heavy: frozenset[str]) -> None:
        """Consume from all queues but these: so many bytes of them are in hand."""
        self._heavy = heavy
        self._settle()

    @property
    def closed(self) -> frozenset[str]:
        """Lanes of which a queue is not consumed from."""
        return frozenset(lane for lane, queues in self._queues.items() if not self._closed.isdisjoint(queues))

    def _settle(self) -> None:
        for lane, queues in self._queues.items():
            for queue in queues:
                closed = lane in self._paused or queue in self._heavy
                if closed and queue not in self._closed:
                    self._closed.add(queue)
                    self._tell("cancel_task_queue", queue)
                elif not closed and queue in self._closed:
                    self._closed.discard(queue)
                    self._tell("add_task_queue", queue)

    def reconnect(self) -> None:
        """Have the connection to RabbitMQ break: Celery makes a new one, with new consumers."""
        connection = getattr(self._consumer, "connection", None)
        if connection is not None:
            connection.connection.transport.sock.shutdown(socket.SHUT_RDWR)

    def give_back_of(self, dead: frozenset[UUID]) -> None:
        """Have what dead workers had taken given back; RabbitMQ does so by itself when a connection ends."""
        self._dead |= dead
        task_consumer = getattr(self._consumer, "task_consumer", None)
        qos = getattr(getattr(task_consumer, "channel", None), "qos", None)
        if not self._dead or not isinstance(qos, QoS):
            return
        try:
            if not qos.give_back_of(self._dead):
                return
        except self._consumer.connection_errors as fault:
            log.warning("left-behind-later", workers=len(self._dead), fault=type(fault).__name__)
        else:
            if others := self._dead - {worker_id()}:
                log.info("left-behind-given-back", workers=sorted(map(str, others)))
            self._dead = frozenset()

    def _tell(self, command: str, queue: str) -> None:
        if self._consumer is None:
            return
        try:
            getattr(self._consumer, command)(queue)
        except self._consumer.connection_errors as fault:
            # The queue is selected or deselected already: the next connection consumes as it should.
            log.warning("tap-turned-later", queue=queue, command=command, fault=type(fault).__name__)
