"""When bytes came and went, however late our loop takes note: the kernel remembers, connection by connection."""

import socket
import struct
import sys
import time

TICK = 0.004
"""Seconds. The kernel counts in ticks of 1 to 10 ms (4 with HZ=250): what is no older than this happened just now."""

SENT = struct.Struct("44xI")
"""Where ``tcpi_last_data_sent`` stands in ``struct tcp_info`` (linux/tcp.h): milliseconds since data was sent."""

RECEIVED = struct.Struct("52xI")
"""The same for ``tcpi_last_data_recv``, milliseconds since data came."""


def last_sent(connection: socket.socket | None) -> float:
    """The monotonic instant at which the newest bytes went out, to a tick of the kernel; now, where nobody knows it."""
    return _instant(connection, SENT)


def last_arrival(connection: socket.socket | None) -> float:
    """The monotonic instant at which the newest bytes came in, to a tick of the kernel; now, where nobody knows it."""
    return _instant(connection, RECEIVED)


def _instant(connection: socket.socket | None, where: struct.Struct) -> float:
    now = time.monotonic()
    if sys.platform != "linux" or connection is None:
        return now
    try:
        told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, where.size)
        age: float = where.unpack(told)[0] / 1000
    except (OSError, ValueError, struct.error):  # closed meanwhile, or no TCP
        return now
    return now - age if age > TICK else now
