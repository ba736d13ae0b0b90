"""A link to RabbitMQ: publisher confirms, quorum queues, nothing lost for want of a queue."""

import encodings.idna  # noqa: F401 - with all that a connection imports: a fork waits for it here (``first_use``)
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Any

import kombu.transport.pyamqp  # noqa: F401 - likewise
from amqp import ChannelError, Message
from kombu.connection import Connection

from ajo_producers.contract.broker import BrokerAddress
from ajo_producers.contract.lanes import QUORUM_ARGUMENTS
from ajo_producers.contract.task_message import CONTENT_ENCODING, CONTENT_TYPE
from ajo_producers.publishing.link import Deadline, LinkFailure, addresses_of, failures_named, refusal
from ajo_producers.publishing.outgoing import Outgoing

CLOSE_SECONDS = 1.0


class RabbitMQLink:
    """One connection, and one channel in confirm mode.

    Several messages are under way at once, so this listens to the channel's acknowledgements itself: py-amqp's
    ``basic_publish_confirm`` waits for one message at a time. No AMQP heartbeats: nobody would send them while the
    publisher is idle, and RabbitMQ would close the connection; TCP keep-alive notices a dead peer.
    """

    def __init__(self, broker: BrokerAddress, deadline: Deadline) -> None:
        self._confirmed: Callable[[Outgoing], None]
        self._sent = 0
        self._waiting: dict[int, Outgoing] = {}
        self._returned: dict[str, list[str]] = {}
        self._refused: list[str] = []
        self._declared: set[str] = set()
        self._blocked = False
        self._connection = _connect(broker, deadline, self._on_blocked, self._on_unblocked)
        try:
            self._limit(deadline)
            self._channel = self._connection.channel()
            self._channel.confirm_select()
        except BaseException:
            self.abandon()
            raise
        self._channel.events["basic_ack"].add(self._on_ack)
        self._channel.events["basic_nack"].add(self._on_nack)
        self._channel.events["basic_return"].add(self._on_return)

    def prepare(self, queues: Collection[str], deadline: Deadline) -> None:
        """See ``Link``."""
        with failures_named():
            for queue in sorted(set(queues) - self._declared):
                self._limit(deadline)
                self._channel.queue_declare(queue, durable=True, auto_delete=False, arguments=QUORUM_ARGUMENTS)
                self._declared.add(queue)

    def publish(self, messages: Sequence[Outgoing], deadline: Deadline, confirmed: Callable[[Outgoing], None]) -> None:
        """See ``Link``."""
        self._confirmed = confirmed
        with failures_named():
            try:
                for message in messages:
                    self._send(message, deadline)
                while self._waiting:
                    self._connection.drain_events(timeout=deadline.remaining())
            except TimeoutError as error:
                if self._blocked:
                    raise LinkFailure("the broker blocks publishers: its memory or disk alarm is on") from error
                raise LinkFailure("no confirm") from error
        if self._refused:
            raise refusal(self._refused)

    def close(self) -> None:
        """See ``Link``."""
        with suppress(Exception):  # the other side may have gone long ago
            self._connection.sock.settimeout(CLOSE_SECONDS)
            self._connection.close()
        self.abandon()

    def abandon(self) -> None:
        """See ``Link``."""
        with suppress(Exception):  # it may be closed already; over TLS, collect() alone would wait for an answer
            if self._connection.connected:
                self._connection.sock.close()
        with suppress(Exception):
            self._connection.collect()

    def _send(self, message: Outgoing, deadline: Deadline) -> None:
        self._sent += 1
        self._waiting[self._sent] = message
        self._limit(deadline)
        self._channel.basic_publish(
            self._channel.prepare_message(
                message.body,
                content_type=CONTENT_TYPE,
                content_encoding=CONTENT_ENCODING,
                headers=message.headers,
                properties=message.properties,
            ),
            exchange="",
            routing_key=message.queue,
            mandatory=True,  # a message without a queue comes back, and is not dropped
        )

    def _limit(self, deadline: Deadline) -> None:
        """Bound every read and write that has no time-out of its own."""
        self._connection.sock.settimeout(deadline.remaining())

    def _on_ack(self, tag: int, multiple: bool) -> None:
        for message in self._settled(tag, multiple):
            # A trigger that is published twice makes two messages with the same id.
            if reasons := self._returned.get(message.properties["correlation_id"]):
                self._refused.append(reasons.pop())
            else:
                self._confirmed(message)

    def _on_nack(self, tag: int, multiple: bool) -> None:
        self._refused += [f"queue {message.queue} takes no more" for message in self._settled(tag, multiple)]

    def _on_return(self, error: ChannelError, exchange: str, queue: str, message: Message) -> None:  # noqa: ARG002 - py-amqp's signature
        # RabbitMQ sends this before the acknowledgement of the same message.
        reasons = self._returned.setdefault(message.properties["correlation_id"], [])
        reasons.append(f"queue {queue}: {error.reply_text}")

    def _settled(self, tag: int, multiple: bool) -> list[Outgoing]:
        tags = [sent for sent in self._waiting if sent <= tag] if multiple else [tag]
        return [self._waiting.pop(sent) for sent in tags if sent in self._waiting]

    def _on_blocked(self, reason: str) -> None:  # noqa: ARG002 - py-amqp's signature; it passes no reason on
        self._blocked = True

    def _on_unblocked(self) -> None:
        self._blocked = False


def _connect(
    broker: BrokerAddress, deadline: Deadline, on_blocked: Callable[..., None], on_unblocked: Callable[..., None]
) -> Any:  # noqa: ANN401 - py-amqp ships no types
    client = Connection(
        broker.url,
        connect_timeout=deadline.remaining() / addresses_of(broker.host, broker.port),
        heartbeat=0,
        ssl=broker.ssl,
        transport_options={"on_blocked": on_blocked, "on_unblocked": on_unblocked},
    )
    # Not Connection.connect(), which tries again by itself, after a pause.
    return client.transport.establish_connection()
