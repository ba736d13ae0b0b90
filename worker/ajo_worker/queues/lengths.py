"""How many messages wait in the broker, queue by queue."""

from collections.abc import Iterable
from contextlib import suppress
from threading import RLock
from typing import Any, Protocol

from ajo_producers.contract.broker import BrokerAddress
from ajo_producers.contract.lanes import queue_names

from ajo_worker.settings import Settings

TIMEOUT = 5.0
"""Seconds until a broker that doesn't answer is given up."""
MISSING = 404
"""AMQP's number for a queue that isn't there."""


class _Lengths(Protocol):
    def of(self, queue: str) -> int:
        """Messages that wait in a queue."""

    def close(self) -> None:
        """End the connection."""


class QueueLengths:
    """Asks again and again over one connection, which is made anew once it has failed; threads take turns."""

    def __init__(self, broker: BrokerAddress) -> None:
        self._broker = broker
        self._turn = RLock()
        self._lengths: _Lengths | None = None

    def of(self, queues: Iterable[str]) -> dict[str, int]:
        """Messages that wait; those that workers have in hand are not among them. A queue that isn't there has 0.

        Raises:
            OSError: the broker can't be reached, or refuses.
        """
        with self._turn:
            try:
                if self._lengths is None:
                    self._lengths = (_OfRabbitMQ if self._broker.kind == "rabbitmq" else _OfValkey)(self._broker)
                return {queue: self._lengths.of(queue) for queue in queues}
            except Exception as fault:  # noqa: BLE001 - py-amqp raises anything on a broken peer, and redis-py its own
                self.close()
                raise OSError(type(fault).__name__) from None

    def close(self) -> None:
        """Take leave of the broker."""
        with self._turn:
            lengths, self._lengths = self._lengths, None
            if lengths is not None:
                with suppress(Exception):  # the other side may have gone
                    lengths.close()


def queue_lengths(settings: Settings) -> dict[str, int]:
    """Messages that wait, by lane.

    Raises:
        OSError: the broker can't be reached, or refuses.
    """
    asking = QueueLengths(settings.broker)
    try:
        return {lane: sum(asking.of(queue_names(settings.queue_prefix, lane)).values()) for lane in settings.lanes}
    finally:
        asking.close()


class _OfRabbitMQ:
    def __init__(self, broker: BrokerAddress) -> None:
        from kombu.connection import Connection  # noqa: PLC0415 - whoever asks no broker need not load its client

        bounds = {"read_timeout": TIMEOUT, "write_timeout": TIMEOUT}
        client = Connection(broker.url, connect_timeout=TIMEOUT, heartbeat=0, ssl=broker.ssl, transport_options=bounds)
        # Not Connection.connect(), which tries again by itself, after a pause.
        self._transport: Any = client.transport
        self._connection: Any = self._transport.establish_connection()
        self._channel: Any = self._connection.channel()

    def of(self, queue: str) -> int:
        try:
            return int(self._channel.queue_declare(queue, passive=True).message_count)
        except self._transport.channel_errors as refused:
            if refused.reply_code != MISSING:
                raise
            self._channel = self._connection.channel()  # RabbitMQ has closed that of whoever asks for a missing queue
            return 0

    def close(self) -> None:
        self._transport.close_connection(self._connection)


class _OfValkey:
    def __init__(self, broker: BrokerAddress) -> None:
        from redis import Redis  # noqa: PLC0415 - as above
        from redis.backoff import NoBackoff  # noqa: PLC0415 - as above
        from redis.retry import Retry  # noqa: PLC0415 - as above

        bounds = {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT}
        self._client = Redis.from_url(broker.url, retry=Retry(NoBackoff(), 0), **bounds, **(broker.ssl or {}))

    def of(self, queue: str) -> int:
        return int(self._client.llen(queue))

    def close(self) -> None:
        self._client.close()
