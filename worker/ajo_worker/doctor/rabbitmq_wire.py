"""Asking RabbitMQ over AMQP. Blocking, each question on a connection of its own; the caller bounds the time."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ajo_producers.contract.broker import BrokerAddress
from ajo_producers.contract.lanes import QUORUM_ARGUMENTS
from amqp import AMQPError, ChannelError, Message
from kombu.connection import Connection

from ajo_worker.doctor.check import Check, ok
from ajo_worker.doctor.rabbitmq import BROKER, Publication, Refusal, Right, judge_connection


@contextmanager
def connected(broker: BrokerAddress, seconds: float, **options: Any) -> Iterator[Any]:  # noqa: ANN401 - py-amqp ships no types
    """A connection as workers have it, TLS verified; no read or write takes longer than ``seconds``."""
    client = Connection(broker.url, connect_timeout=seconds, heartbeat=0, ssl=broker.ssl, transport_options=options)
    connection = client.transport.establish_connection()  # not connect(), which tries again by itself
    try:
        connection.sock.settimeout(seconds)
        yield connection
    finally:
        # Without a farewell, which could hang. It may be closed already, and over TLS py-amqp then raises anything.
        with suppress(Exception):
            connection.sock.close()
        with suppress(Exception):
            connection.collect()


def reach(broker: BrokerAddress, seconds: float) -> Check:
    """Whether it lets us in, and which version it is."""
    try:
        with connected(broker, seconds) as connection:
            product, version = (connection.server_properties.get(name, "?") for name in ("product", "version"))
            return ok(BROKER, f"{product} {version} at {broker.shown}")
    except (OSError, AMQPError) as fault:
        return judge_connection(broker.shown, fault)


def look_at_queue(broker: BrokerAddress, name: str, seconds: float) -> Refusal | None:
    """How our declaration of a queue is refused; it is made only if the queue is there, so that it makes none."""
    with connected(broker, seconds) as connection:
        try:
            connection.channel().queue_declare(name, passive=True)
            connection.channel().queue_declare(name, durable=True, auto_delete=False, arguments=QUORUM_ARGUMENTS)
        except ChannelError as refused:
            return Refusal(refused.reply_code, refused.reply_text)
    return None


def publish_once(broker: BrokerAddress, prefix: str, seconds: float) -> Publication:
    """Publish to a queue that is this connection's alone and ends with it, and read the message back."""
    queue = f"{prefix}.doctor.{secrets.token_hex(8)}"
    right: Right = "configure"
    blocked: list[str] = []
    with connected(broker, seconds, on_blocked=blocked.append) as connection:
        try:
            channel = connection.channel()
            channel.queue_declare(queue, exclusive=True, auto_delete=True)
            right, message, asked = "write", Message(b"from ajo-dispatch doctor"), time.monotonic()
            channel.basic_publish_confirm(message, routing_key=queue, mandatory=True, confirm_timeout=seconds)
            confirmed_after = time.monotonic() - asked
            right = "read"
            channel.basic_get(queue, no_ack=True)
        except ChannelError as refused:
            return Publication(right, Refusal(refused.reply_code, refused.reply_text))
        except TimeoutError:
            if not blocked:
                raise
            return Publication(blocked=True)
    return Publication(seconds=confirmed_after)
