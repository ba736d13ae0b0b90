"""A queue of events on RabbitMQ: bound to an exchange, taken from in portions, with one of dead letters beside it."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple

from amqp import Message
from kombu.connection import Connection

from ajo_producers.contract.broker import BrokerAddress
from ajo_producers.contract.lanes import QUORUM_ARGUMENTS
from ajo_producers.contract.task_message import PLAIN_ENCODINGS
from ajo_producers.contract.unreadable import UNREADABLE
from ajo_producers.events.cloudevents import UnreadableEvents, read_message
from ajo_producers.events.event import BadEvent, Event, Fault
from ajo_producers.publishing.link import failures_named

HEARTBEAT_SECONDS = 30
CONNECT_SECONDS = 10.0
PLAIN = PLAIN_ENCODINGS | {"identity"}
REASON = "x-ajo-reason"
"""The header of a dead letter that says why."""
MAX_HEADERS = 100_000
"""Bytes of a dead letter's headers at most: a frame has 131,072."""
MAX_REASON = 1000
"""Characters of it at most."""


class Binding(NamedTuple):
    """Which events come: those that an ``exchange`` gets with one of these ``keys``; a ``kind`` declares it."""

    exchange: str
    keys: tuple[str, ...]
    kind: str | None


class Taken(NamedTuple):
    """A message that was taken: its events, most often one; ``tag`` acknowledges it."""

    tag: int
    message: Any
    events: Sequence[Event | BadEvent]


class EventQueue:
    """One connection that takes; of no use after it has failed.

    Raises:
        LinkFailure: the broker can't be reached, or refuses.
    """

    def __init__(self, broker: BrokerAddress, name: str, binding: Binding, prefetch: int) -> None:
        self.name, self.dead = name, f"{name}.dead-letters"
        self._came: list[Any] = []
        with failures_named():
            client = Connection(
                broker.url, connect_timeout=CONNECT_SECONDS, heartbeat=HEARTBEAT_SECONDS, ssl=broker.ssl
            )
            self._connection: Any = client.transport.establish_connection()
            self._connection.sock.settimeout(CONNECT_SECONDS)
            self._channel = self._connection.channel()
            for queue in (self.name, self.dead):
                self._channel.queue_declare(queue, durable=True, auto_delete=False, arguments=QUORUM_ARGUMENTS)
            self._channel.exchange_declare(
                binding.exchange, binding.kind or "topic", passive=binding.kind is None, durable=True, auto_delete=False
            )
            for key in binding.keys:
                self._channel.queue_bind(self.name, binding.exchange, key)
            self._letters = self._connection.channel()
            self._letters.confirm_select()
            self._channel.basic_qos(0, prefetch, a_global=False)
            self._channel.basic_consume(self.name, no_ack=False, callback=self._on_message)

    def take(self, seconds: float) -> list[Taken]:
        """What has come, after at most so many seconds if nothing has.

        Raises:
            LinkFailure: the connection is broken.
        """
        with failures_named():
            self._connection.heartbeat_tick()
            with suppress(TimeoutError):
                if not self._came:
                    self._connection.drain_events(timeout=seconds)
                while True:  # what has arrived already
                    self._connection.drain_events(timeout=0.001)
        came, self._came = self._came, []
        return [Taken(message.delivery_tag, message, events_of(message)) for message in came]

    def acknowledge(self, taken: Taken) -> None:
        """It is done with.

        Raises:
            LinkFailure: the connection is broken; the message comes again.
        """
        with failures_named():
            self._channel.basic_ack(taken.tag)

    def bury(self, taken: Taken, faults: Sequence[Fault]) -> None:
        """Put a message on the queue of dead letters, as it came, with the reasons; returns once that is confirmed.

        Raises:
            LinkFailure: it is not; the message comes again.
        """
        found = taken.message
        headers = {name: value for name, value in (found.headers or {}).items() if name != UNREADABLE}
        headers[REASON] = "; ".join(map(str, faults))[:MAX_REASON]
        kept = {name: found.properties[name] for name in _KEPT if name in found.properties}
        letter = Message(_bytes(found), application_headers=headers, delivery_mode=2, **kept)
        if not _fits(letter):  # it would break the connection, again and again
            letter = Message(_bytes(found), application_headers={REASON: headers[REASON]}, delivery_mode=2)
        with failures_named():
            self._connection.sock.settimeout(CONNECT_SECONDS)
            self._letters.basic_publish_confirm(
                letter, exchange="", routing_key=self.dead, mandatory=True, confirm_timeout=CONNECT_SECONDS
            )

    def wait(self, seconds: float) -> None:
        """Keep the connection alive for a while; what comes meanwhile is taken next.

        Raises:
            LinkFailure: the connection is broken.
        """
        with failures_named():
            self._connection.heartbeat_tick()
            with suppress(TimeoutError):
                self._connection.drain_events(timeout=seconds)

    def close(self) -> None:
        """Give back what is not acknowledged."""
        with suppress(Exception):  # the other side may have gone long ago
            self._connection.sock.settimeout(1.0)
            self._connection.close()
        with suppress(Exception):
            self._connection.collect()

    def _on_message(self, message: Any) -> None:  # noqa: ANN401 - py-amqp ships no types
        self._came.append(message)


def events_of(message: Any) -> Sequence[Event | BadEvent]:  # noqa: ANN401 - py-amqp ships no types
    """The events of a message; a bad one if it can't be read. Pure."""
    headers = message.headers or {}
    if UNREADABLE in headers:
        return [BadEvent((Fault("", f"its headers can't be read ({headers[UNREADABLE]})"),), None, _bytes(message))]
    if str(message.properties.get("content_encoding") or "").lower() not in PLAIN:
        return [BadEvent((Fault("", "its content encoding is not supported: send it plain"),), None, _bytes(message))]
    try:
        texts = [(str(name), _text(value)) for name, value in headers.items()]
        for name, value in texts:
            if name.lower().startswith(("ce-", "cloudevents")):
                f"{name}{value}".encode()  # an attribute has no half surrogate pair, which breaks whoever stores it
        return read_message(texts, str(message.properties.get("content_type") or ""), _bytes(message))
    except UnreadableEvents as bad:
        return [BadEvent((Fault("", str(bad)),), None, _bytes(message))]
    except Exception as fault:  # noqa: BLE001 - a message that ended the program here would be the first one again
        return [BadEvent((Fault("", f"it can't be read ({type(fault).__name__})"),), None, _bytes(message))]


_KEPT = ("content_type", "content_encoding", "message_id", "correlation_id", "timestamp", "type", "app_id")


def _text(value: object) -> str:
    """A header's value as CloudEvents write it."""
    if isinstance(value, datetime):
        return value.isoformat() if value.tzinfo else f"{value.isoformat()}Z"
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _fits(letter: Any) -> bool:  # noqa: ANN401 - py-amqp ships no types
    """Whether its headers can be written as they were read, and fit into a frame."""
    try:
        return len(letter._serialize_properties()) <= MAX_HEADERS
    except Exception:  # noqa: BLE001 - whatever is in there came from outside
        return False


def _bytes(message: Any) -> bytes:  # noqa: ANN401 - py-amqp ships no types
    """A body as it came: py-amqp makes text of it where its encoding says so."""
    body = message.body
    return body.encode() if isinstance(body, str) else bytes(body)
