"""AMQP is read many frames at a time.

py-amqp asks the socket nine times for each message: three frames, of each the head, the payload and the last byte; and
Celery's hub polls before each. Each time the interpreter lock is given up, and a loop that is busy gives it back
after a while: a thousand messages of one queue took seconds, in which nothing of another one was received.
"""

from typing import Any

from amqp.transport import SSLTransport, TCPTransport

CHUNK = 16_384
"""Bytes asked for at a time: what a TLS record has at most, and few enough to be moved about for each frame."""
MOST = 64
"""Messages that are read in one turn of the hub."""


def read_ahead(connection: Any) -> None:
    """Have a connection that stands read what is there; py-amqp keeps what is more than a frame for its next read.

    Connections to other brokers are left as they are.
    """
    transport = getattr(connection, "transport", None)
    if not isinstance(transport, SSLTransport | TCPTransport):
        return
    receive = transport._quick_recv
    drain_events = connection.drain_events

    def receive_ahead(size: int) -> bytes:
        return bytes(receive(max(size, CHUNK)))

    def drain_many(timeout: float | None = None) -> Any:
        drained = drain_events(timeout)
        if timeout == 0:  # the hub's: it would poll before the next one
            for _ in range(MOST - 1):
                try:
                    drain_events(0)
                except TimeoutError:
                    break
        return drained

    transport._quick_recv = receive_ahead
    connection.drain_events = drain_many
