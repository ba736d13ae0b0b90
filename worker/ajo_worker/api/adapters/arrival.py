"""When bytes came and went, however late our loop takes note: the kernel remembers, connection by connection."""

import fcntl
import socket
import struct
import sys
import termios
import time

TICK = 0.004
"""Seconds. The kernel counts in ticks of 1 to 10 ms (4 with HZ=250): what is no older than this happened just now."""

SENT = struct.Struct("44xI")
"""Where ``tcpi_last_data_sent`` stands in ``struct tcp_info`` (linux/tcp.h): milliseconds since data was sent."""

RECEIVED = struct.Struct("52xI")
"""The same for ``tcpi_last_data_recv``, milliseconds since data came."""


ACKNOWLEDGED = struct.Struct("56xI")
"""The same for ``tcpi_last_ack_recv``, milliseconds since the other side acknowledged anything."""


def last_sent(connection: socket.socket | None) -> float:
    """The monotonic instant at which the newest bytes went out, to a tick of the kernel; now, where nobody knows it."""
    return _instant(connection, SENT)


def last_arrival(connection: socket.socket | None) -> float:
    """The monotonic instant at which the newest bytes came in, to a tick of the kernel; now, where nobody knows it."""
    return _instant(connection, RECEIVED)


def last_acknowledged(connection: socket.socket) -> float:
    """The monotonic instant of the other side's newest acknowledgement, to a tick; now, where nobody knows it."""
    return _instant(connection, ACKNOWLEDGED)


def unacknowledged(connection: socket.socket) -> int:
    """How many of the bytes that were sent the other side has not acknowledged yet; 0 where nobody knows it."""
    if sys.platform != "linux":
        return 0
    told = fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4))  # SIOCOUTQ, as tcp(7) has it
    return int.from_bytes(told, sys.byteorder)


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
