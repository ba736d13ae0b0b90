"""A link to Redis or Valkey: the reply to LPUSH is the confirm. It says that the server has the message in memory.

How soon it is on disk is the server's ``appendfsync``; docs/message-format.md says what follows.
"""

import encodings.idna  # noqa: F401 - with all that a connection imports: a fork waits for it here (``first_use``)
import secrets  # noqa: F401 - likewise
import socket
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Any

import kombu.transport.redis  # noqa: F401 - likewise
from kombu.connection import Connection
from redis.exceptions import ResponseError

from ajo_producers.contract.broker import BrokerAddress, unfit
from ajo_producers.contract.task_message import CONTENT_ENCODING, CONTENT_TYPE
from ajo_producers.publishing.link import Deadline, LinkFailure, addresses_of, failures_named, refusal
from ajo_producers.publishing.outgoing import Outgoing

KEEPALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 9}
"""Seconds, seconds and a count, as py-amqp has them: they keep an idle connection alive, or find that it is dead."""


class ValkeyLink:
    """One connection, with kombu's envelope around each message; a window of messages is sent at once.

    The replies are read here, one by one: redis-py's pipeline gives either all of them or none, so that after a
    failure half-way nobody would know which messages are on their queues.
    """

    def __init__(self, broker: BrokerAddress, deadline: Deadline) -> None:
        addresses = addresses_of(broker.host, broker.port)
        seconds = deadline.remaining()
        client = Connection(
            broker.url,
            ssl=broker.ssl,
            transport_options={
                "socket_timeout": seconds,
                "socket_connect_timeout": seconds / addresses,
                "socket_keepalive": True,
                "socket_keepalive_options": {
                    getattr(socket, name): value for name, value in KEEPALIVE.items() if hasattr(socket, name)
                },
                "retry_on_timeout": False,
                "health_check_interval": 0,  # a PING before sending proves nothing about the moment after it
            },
        )
        # Not Connection.channel(), which connects again by itself, after a pause.
        self._transport = client.transport
        self._channel = self._transport.create_channel(self._transport.establish_connection())
        # The one over which the channel has just pinged; held as long as the link, so that nothing reconnects silently.
        self._connection = self._channel.client.connection_pool.get_connection()
        self._refuse_unfit()

    def prepare(self, queues: Collection[str], deadline: Deadline) -> None:
        """Nothing to do: a list comes into being with its first message."""

    def publish(self, messages: Sequence[Outgoing], deadline: Deadline, confirmed: Callable[[Outgoing], None]) -> None:
        """See ``Link``."""
        refused: list[str] = []
        with failures_named():
            self._connection.update_current_socket_timeout(deadline.remaining())
            self._connection.send_packed_command(self._connection.pack_commands(self._commands(messages)))
            for message in messages:
                try:
                    self._connection.read_response(timeout=deadline.remaining())
                except ResponseError as error:  # such as no memory left: it concerns this message alone
                    refused.append(f"queue {message.queue}: {error}")
                else:
                    confirmed(message)
        if refused:
            raise refusal(refused)

    def close(self) -> None:
        """See ``Link``."""
        with suppress(Exception):  # the other side may have gone long ago
            self._transport.close_connection(self._transport)

    abandon = close

    def _refuse_unfit(self) -> None:
        """A cluster's node would take some messages, which no worker could ever take from it."""
        self._connection.send_command("HELLO")
        try:
            hello = self._connection.read_response()
        except ResponseError:  # too old to know the command, or it is not for this user
            return
        if reason := unfit(hello):
            self.close()
            raise LinkFailure(f"it {reason}")

    def _commands(self, messages: Sequence[Outgoing]) -> list[tuple[Any, ...]]:
        """The LPUSH of each message, as kombu writes it."""
        batch = self._channel.create_publish_batch(max_size=len(messages) + 1)  # one more, so that it sends nothing
        try:
            for message in messages:
                batch.publish(
                    self._channel.prepare_message(
                        message.body,
                        content_type=CONTENT_TYPE,
                        content_encoding=CONTENT_ENCODING,
                        headers=message.headers,
                        properties=dict(message.properties),  # kombu writes into it
                    ),
                    exchange="",
                    routing_key=message.queue,
                )
            return [arguments for arguments, _ in batch.pipeline.command_stack]
        finally:
            batch.close()
