"""How TCP finds out that the other side is gone: a machine that vanished, or a way there that forgot the connection."""

import socket
from contextlib import suppress
from typing import Any, NamedTuple


class Keepalive(NamedTuple):
    """When TCP gives a connection up, in whole seconds: it asks after ``quiet`` seconds without a packet, and then
    ``times`` times ``every`` so many seconds.
    """

    quiet: int
    every: int
    times: int

    @property
    def seconds(self) -> int:
        """A peer that has acknowledged nothing for so long is dead, whether something was sent or it was asked."""
        return self.quiet + self.every * self.times

    def options(self) -> list[tuple[int, int, int]]:
        """For ``setsockopt``."""
        options = {
            "TCP_KEEPIDLE": self.quiet,
            "TCP_KEEPINTVL": self.every,
            "TCP_KEEPCNT": self.times,
            "TCP_USER_TIMEOUT": self.seconds * 1000,
        }
        return [
            (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
            *(
                (socket.IPPROTO_TCP, getattr(socket, name), value)
                for name, value in options.items()
                if hasattr(socket, name)  # macOS has not all of them
            ),
        ]

    def settings(self) -> dict[str, str]:
        """For a session of PostgreSQL, which then finds out about us."""
        return {
            "tcp_keepalives_idle": str(self.quiet),
            "tcp_keepalives_interval": str(self.every),
            "tcp_keepalives_count": str(self.times),
            "tcp_user_timeout": str(self.seconds * 1000),
        }


DATABASE = Keepalive(quiet=4, every=2, times=2)
"""8 s for PostgreSQL's connections: a worker that has to find out, to connect and to beat again is back before
``AJO_OWNER_TIMEOUT``, after which it counts as dead. And what idles is forgotten by no firewall in between."""


def notice_death(connection: Any, keepalive: Keepalive = DATABASE) -> None:  # noqa: ANN401 - asyncpg's
    """Have a connection of asyncpg's break when its other side is gone; by itself it would wait for an answer."""
    peer = connection._transport.get_extra_info("socket")
    if peer is not None and peer.family in {socket.AF_INET, socket.AF_INET6}:
        for option in keepalive.options():
            with suppress(OSError):  # it broke in this moment
                peer.setsockopt(*option)
