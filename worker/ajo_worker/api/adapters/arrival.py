"""When bytes came and went, however late our loop takes note: the kernel remembers, connection by connection."""

import fcntl
import socket
import struct
import sys
import termios
import time
from contextlib import suppress

TICK = 0.004
"""Seconds. The kernel counts in ticks of 1 to 10 ms (4 with HZ=250): what is no older than this happened just now."""

SENT = struct.Struct("44xI")
"""Where ``tcpi_last_data_sent`` stands in ``struct tcp_info`` (linux/tcp.h): milliseconds since data was sent."""

RECEIVED = struct.Struct("52xI")
"""The same for ``tcpi_last_data_recv``, milliseconds since data came."""


ACKNOWLEDGED = struct.Struct("56xI")
"""The same for ``tcpi_last_ack_recv``, milliseconds since the other side acknowledged anything."""

STAMPS = 35
"""``SO_TIMESTAMPNS`` (asm-generic/socket.h), for which Python has no name: what is read comes with its arrival."""

STAMP = struct.Struct("ll")
"""That arrival, a ``struct timespec`` of the wall clock."""

APART = 0.02
"""Seconds, two of the longest ticks. A stamp that is further from the kernel's count is of a clock that was set."""


def stamp_arrivals(connection: socket.socket) -> None:
    """Have ``receive`` know to the microsecond when bytes came, where the system can tell."""
    if sys.platform == "linux":
        with suppress(OSError):  # then it is known to the tick
            connection.setsockopt(socket.SOL_SOCKET, STAMPS, 1)


def receive(connection: socket.socket, most: int) -> tuple[bytes, float]:
    """Up to ``most`` bytes, and the monotonic instant at which the newest of them came in.

    Of the end (no bytes) it is that of the other side's newest acknowledgement.

    Raises:
        BlockingIOError: there is nothing yet.
        OSError: the connection broke.
    """
    if sys.platform != "linux":
        return connection.recv(most), time.monotonic()
    data, told, _, _ = connection.recvmsg(most, socket.CMSG_SPACE(STAMP.size))
    if not data:
        return data, last_acknowledged(connection)
    now, wall = time.monotonic(), time.time()
    counted = _age(connection, RECEIVED)
    if not told:
        return data, now - known_age(None, counted)
    seconds, nanoseconds = STAMP.unpack(told[0][2])
    return data, now - known_age(wall - seconds - nanoseconds / 1e9, counted)


def known_age(stamped: float | None, counted: float) -> float:
    """How old the newest bytes are, in seconds: by their stamp, unless the wall clock was set since; else as the kernel
    counts, which is to a tick. Pure.
    """
    if stamped is not None and abs(stamped - counted) < APART:
        return max(stamped, 0)
    return counted if counted > TICK else 0


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
    return now if connection is None else now - known_age(None, _age(connection, where))


def _age(connection: socket.socket, where: struct.Struct) -> float:
    """Seconds since then, as the kernel counts; 0 where it can't tell."""
    if sys.platform != "linux":
        return 0
    try:
        told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, where.size)
        age: float = where.unpack(told)[0] / 1000
    except (OSError, ValueError, struct.error):  # closed meanwhile, or no TCP
        return 0
    return age
