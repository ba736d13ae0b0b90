"""Destinations of ways, and what a server answers there."""

from ajo_worker.network.destination import Destination

from tests.support.waiting import DEADLINE_SECONDS

SHORT, LONG = 1.0, DEADLINE_SECONDS
"""Seconds of a step that is to fail, and of one that is not."""
OK = b"HTTP/1.1 200 OK\r\nDate: Mon, 01 Jun 2026 10:00:00 GMT\r\ncontent-length: 0\r\n\r\n"


def to(port: int, *, secure: bool = False, host: str = "127.0.0.1") -> Destination:
    """The way to a port, with a header that no probe may send by itself."""
    return Destination(f"{host}:{port}", host, port, secure, "/ajo/im/health", headers={"x-api-key": "hidden"})
