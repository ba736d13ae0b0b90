"""Serves the figures over HTTP, in Prometheus' text format; each scrape asks the ledger anew."""

import asyncio
import socket
from collections.abc import Callable, Iterable
from threading import Lock, Thread
from wsgiref.simple_server import WSGIRequestHandler, make_server

from ajo_producers.contract.authority import authority
from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import Metric
from prometheus_client.exposition import ThreadingWSGIServer
from prometheus_client.registry import Collector

from ajo_worker.metrics.scrape import Scrape, missing, scrape, told

IDLE_SECONDS = 30
"""How long a client may take to ask."""


class LedgerCollector(Collector):
    """Reads the ledger when it is collected, once at a time. ``say`` is told what is missing, each time it changes."""

    def __init__(self, url: Callable[[], str], seconds: float, say: Callable[[str], None]) -> None:
        self._url = url
        self._seconds = seconds
        self._say = say
        self._said: str | None = None
        self._lock = Lock()

    def collect(self) -> Iterable[Metric]:
        """All metrics of this moment."""
        if not self._lock.acquire(timeout=self._seconds):
            return told(Scrape(fault="another scrape is under way"))
        try:
            found = asyncio.run(scrape(self._url(), self._seconds))
            if (news := missing(found)) != self._said:
                self._said = news
                self._say(news or "the ledger is read again")
        finally:
            self._lock.release()
        return told(found)


class _Handler(WSGIRequestHandler):
    timeout = IDLE_SECONDS

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that it has there
        """A scrape every few seconds is no news."""


class _Server(ThreadingWSGIServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no fault of ours."""


class _ServerV6(_Server):
    address_family = socket.AF_INET6


def serve(collector: Collector, host: str, port: int) -> tuple[_Server, str]:
    """Begin to serve on a thread; the server, to be shut down, and its URL. Port 0 is a free one.

    Raises:
        OSError: the address can't be listened on.
    """
    registry = CollectorRegistry()
    registry.register(collector)
    kind = _ServerV6 if ":" in host else _Server
    server = make_server(host, port, make_wsgi_app(registry), kind, _Handler)
    Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server, f"http://{authority(host, server.server_port)}/metrics"
