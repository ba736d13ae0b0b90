"""Asking RabbitMQ over AMQP. Blocking, each question on a connection of its own; the caller bounds the time."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from ajo_producers.contract.broker import BrokerAddress
from ajo_producers.contract.lanes import QUORUM_ARGUMENTS
from amqp import AMQPError, ChannelError, Message, NotFound
from kombu.connection import Connection
from kombu.entity import Exchange

from ajo_worker.doctor.check import Check, ok
from ajo_worker.doctor.rabbitmq import (
    ACCESS_REFUSED,
    BROKER,
    BrokerRefusal,
    CelerysOwn,
    MissingRight,
    Publication,
    Right,
    judge_connection,
)


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


def look_at_queue(broker: BrokerAddress, name: str, seconds: float) -> BrokerRefusal | None:
    """How our declaration of a queue is refused; it is made only if the queue is there, so that it makes none."""
    with connected(broker, seconds) as connection:
        try:
            connection.channel().queue_declare(name, passive=True)
            connection.channel().queue_declare(name, durable=True, auto_delete=False, arguments=QUORUM_ARGUMENTS)
        except ChannelError as refused:
            return BrokerRefusal(refused.reply_code, refused.reply_text)
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
            return Publication(right, BrokerRefusal(refused.reply_code, refused.reply_text))
        except TimeoutError:
            if not blocked:
                raise
            return Publication(blocked=True)
    return Publication(seconds=confirmed_after)


def rights_refused(broker: BrokerAddress, celery: CelerysOwn, seconds: float) -> list[MissingRight] | None:
    """What the user may not do with what Celery has for itself. Nothing is sent, and nothing stays.

    RabbitMQ looks at rights first. So to delete what isn't there, or to publish what has an impossible expiry, is
    refused for want of the right, or else for another reason. None while it blocks whoever publishes.
    """
    found: list[MissingRight] = []
    blocked: list[str] = []
    with connected(broker, seconds, on_blocked=blocked.append) as connection:
        for right, name, question in _questions(connection, celery):
            try:
                question(connection.channel())
            except ChannelError as refused:
                if refused.reply_code == ACCESS_REFUSED and f"'{name}'" in refused.reply_text:
                    found.append(MissingRight(right, name))
            except TimeoutError:
                if not blocked:
                    raise
                return None
    return found


def _questions(connection: Any, celery: CelerysOwn) -> Iterator[tuple[Right, str, Callable[[Any], object]]]:  # noqa: ANN401 - py-amqp ships no types
    for exchange in (celery.events, celery.control, celery.replies):
        yield "configure", exchange.name, partial(_configure, connection, exchange)
    for exchange in (celery.events, celery.replies):
        yield "write", exchange.name, partial(_publish_nothing, exchange)
    queue, source = celery.queue, celery.control.name
    yield "configure", queue, lambda channel: channel.queue_declare(queue, exclusive=True, auto_delete=True)
    yield "write", queue, lambda channel: channel.queue_bind(queue, source)
    yield "read", queue, lambda channel: channel.basic_get(queue, no_ack=True)
    yield "read", source, lambda channel: channel.queue_bind(queue, source)


def _configure(connection: Any, exchange: Exchange, channel: Any) -> None:  # noqa: ANN401 - py-amqp ships no types
    """Declare an exchange just as Celery does if it is there; otherwise delete it, so that none is made."""
    try:
        connection.channel().exchange_declare(exchange.name, exchange.type, passive=True)
    except NotFound:
        channel.exchange_delete(exchange.name, if_unused=True)
    else:
        channel.exchange_declare(exchange.name, exchange.type, durable=exchange.durable, auto_delete=False)


def _publish_nothing(exchange: Exchange, channel: Any) -> None:  # noqa: ANN401 - py-amqp ships no types
    channel.basic_publish(Message(b"", expiration="never"), exchange=exchange.name, routing_key="worker.online")
    channel.basic_qos(0, 1, False)  # its answer comes after that to the message
