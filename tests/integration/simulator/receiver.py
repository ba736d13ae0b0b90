"""A webhook of the tests' own: what it was sent, and answers that a test chooses."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.waiting import wait_until


@dataclass
class Receiver:
    """A running webhook, which answers once ``gate`` is open.

    Departures are answered with ``statuses`` one after the other, then with 200, as all else is at once.
    """

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    calls: list[tuple[int, dict[str, str], dict[str, Any]]] = field(default_factory=list)
    held: int = 0
    followed: int = 0

    @property
    def taken(self) -> list[dict[str, Any]]:
        """The bodies that were answered with 200."""
        return [body for status, _, body in self.calls if status == 200]

    def wait_for(self, number: int) -> list[dict[str, Any]]:
        """Wait for so many bodies that were answered with 200."""
        return wait_until(lambda: self.taken if len(self.taken) >= number else None, what=f"{number} events")


def told(bodies: list[dict[str, Any]]) -> list[str]:
    """The statuses that these bodies tell of."""
    return [body["messageDeliveryFeedback"]["feedbackStatus"]["value"] for body in bodies]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A webhook on a free port."""
    receiver, lock = Receiver(), threading.Lock()
    receiver.gate.set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with lock:
                receiver.held += 1
            receiver.gate.wait()
            with lock:
                receiver.held -= 1
                status = receiver.statuses.pop(0) if receiver.statuses and told([body]) == ["sent"] else 200
                receiver.calls.append((status, {name.lower(): value for name, value in self.headers.items()}, body))
            self._answer(status)

        def do_GET(self) -> None:
            receiver.followed += 1
            self._answer(200)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("location", "/followed")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_port}/feedback"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield receiver
    finally:
        receiver.gate.set()
        server.shutdown()
        thread.join()
        server.server_close()
