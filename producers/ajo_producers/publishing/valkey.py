"""A link to Redis or Valkey: the reply to LPUSH is the confirm. It says that the server has the message in memory.

How soon it is on disk is the server's ``appendfsync``; docs/message-format.md says what follows.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress

from kombu.connection import Connection

from ajo_producers.contract.task_message import CONTENT_ENCODING, CONTENT_TYPE
from ajo_producers.publishing.link import Deadline, failures_named
from ajo_producers.publishing.outgoing import Outgoing


class ValkeyLink:
    """One connection, with kombu's envelope around each message; a window of messages is one pipeline."""

    def __init__(self, url: str, deadline: Deadline) -> None:
        seconds = deadline.remaining()
        client = Connection(  # type: ignore[no-untyped-call] # kombu is typed in part
            url,
            # By default kombu checks no certificate.
            ssl={"ssl_cert_reqs": "required", "ssl_check_hostname": True} if url.startswith("rediss") else False,
            transport_options={
                "socket_timeout": seconds,
                "socket_connect_timeout": seconds,
                "socket_keepalive": True,
                "retry_on_timeout": False,
            },
        )
        # Not Connection.channel(), which connects again by itself, after a pause.
        self._transport = client.transport
        self._channel = self._transport.create_channel(self._transport.establish_connection())

    def publish(self, messages: Sequence[Outgoing], deadline: Deadline, confirmed: Callable[[Outgoing], None]) -> None:
        """See ``Link``. If the pipeline fails, none of the messages counts as confirmed."""
        with failures_named():
            deadline.remaining()
            pipeline = self._channel.create_publish_batch(max_size=len(messages) + 1)
            try:
                for message in messages:
                    pipeline.publish(
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
                pipeline.flush()
            finally:
                pipeline.close()
        for message in messages:
            confirmed(message)

    def close(self) -> None:
        """See ``Link``."""
        with suppress(Exception):  # the other side may have gone long ago
            self._transport.close_connection(self._transport)

    abandon = close
