"""AMQP is read many frames at a time.

py-amqp asks the socket nine times for each message: three frames, of each the head, the payload and the last byte, each
time with another time-out set and set back; and Celery's hub polls before each. Each time the interpreter lock is given
up, and a loop that is busy gives it back after a while: a thousand messages of one queue took seconds, in which nothing
of another one was received.
"""

import time
from collections import deque
from struct import Struct
from typing import Any

from amqp.transport import SSLTransport, TCPTransport

CHUNK = 16_384
"""Bytes asked for at a time: what a TLS record has at most, and few enough for one turn of the hub."""
HEAD = Struct(">BHI")
"""A frame's type, channel and payload size (AMQP 0-9-1, 4.2.3); payload and one byte, its end, follow."""
END = 0xCE

Frame = tuple[int, int, bytes]


def read_ahead(connection: Any) -> None:
    """Have a connection that stands take the frames that are there, for as long as it stands.

    Connections to other brokers are left as they are.
    """
    transport = getattr(connection, "transport", None)
    if not isinstance(transport, SSLTransport | TCPTransport):
        return
    receive = transport._quick_recv
    read: deque[Frame] = deque()

    def receive_ahead(size: int) -> bytes:
        return bytes(receive(max(size, CHUNK)))

    def read_some() -> None:
        with transport.having_timeout(0):
            read.append(transport.read_frame())
        others, transport._read_buffer = whole_frames(transport._read_buffer)
        read.extend(others)

    def drain_many(timeout: float | None = None) -> None:
        turn_of_the_hub = timeout == 0
        if turn_of_the_hub and not read:
            read_some()
        while read:  # also those that were left over when the one before them raised
            done = connection.on_inbound_frame(read.popleft())
            if done and not turn_of_the_hub:
                return
        if not turn_of_the_hub:
            wait_for_one(timeout)

    def wait_for_one(timeout: float | None) -> None:
        # A server that reads nothing more of us (its alarm is on) sends heartbeats all the same: those are no answer.
        longest = transport.sock.gettimeout() if timeout is None else timeout
        until = None if longest is None else time.monotonic() + longest
        while not connection.blocking_read(until and max(until - time.monotonic(), 0)):
            pass

    transport._quick_recv = receive_ahead
    connection.drain_events = drain_many


def whole_frames(read: bytes) -> tuple[list[Frame], bytes]:
    """The frames that stand whole at the begin of what was read, and the rest. One without its end is left. Pure."""
    frames, begin = list[Frame](), 0
    while len(read) - begin >= HEAD.size:
        kind, channel, size = HEAD.unpack_from(read, begin)
        payload = begin + HEAD.size
        end = payload + size
        if len(read) <= end or read[end] != END:
            break
        frames.append((kind, channel, read[payload:end]))
        begin = end + 1
    return frames, read[begin:]
