"""Serves the receiver until it is told to stop, and then finishes what is in hand."""

import asyncio
import contextlib
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from ajo_worker.feedback.entrance import Entrance, Patience, Protocol
from ajo_worker.feedback.guests import Guest, Room
from ajo_worker.renewal import Renewed

DRAIN_SECONDS = 30
"""What requests in hand get at a stop; each ends by itself before."""


REST_SECONDS = 5.0
"""For which a connection may stay without a request."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files in PEM, for HTTPS; what they become while it serves is shown to whoever connects then."""

    chain: Path
    key: Path

    def contexts(self) -> Renewed[ssl.SSLContext]:
        """The context that shows it, with the files as they are then.

        Raises:
            OSError: they can't be used.
        """

        def load() -> ssl.SSLContext:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.chain, self.key)
            return context

        return Renewed("certificate", (self.chain, self.key), load)


class _Server(uvicorn.Server):
    def __init__(
        self,
        config: uvicorn.Config,
        listening: socket.socket,
        tls: Callable[[], ssl.SSLContext] | None,
        room: Room,
        patience: Patience,
        ready: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._listening, self._room, self._patience, self._ready = listening, room, patience, ready
        self._tls = tls

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Begin to take requests, through a door of our own: uvicorn's keeps every connection that comes, for ever."""
        await super().startup(sockets=[])
        entrance = Entrance(self._listening, self._protocol, self._tls, self._room, self._patience)
        self.servers = [entrance]  # type: ignore[list-item] # it closes as one of asyncio's does
        entrance.open()
        self._ready()

    def _protocol(self, entrance: Entrance, guest: Guest) -> Protocol:
        state = self.lifespan.state
        return Protocol(entrance, guest, config=self.config, server_state=self.server_state, app_state=state)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at SIGTERM and SIGINT; a stop in good order ends with 0, and not by the signal."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        yield
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)

    def _stop(self) -> None:
        self.should_exit = True


def bind(host: str, port: int) -> tuple[socket.socket, str]:
    """A listening socket, and its address as URLs have it. Port 0 is a free one.

    Raises:
        OSError: the address can't be listened on.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(1024)
    except OSError:
        listening.close()
        raise
    shown = f"[{host}]" if ":" in host else host
    return listening, f"{shown}:{listening.getsockname()[1]}"


async def serve(
    app: Starlette,
    listening: socket.socket,
    certificate: Certificate | None,
    room: Room,
    head_seconds: float,
    ready: Callable[[], None],
) -> None:
    """Serve until SIGTERM or SIGINT. ``ready`` is called once requests are taken.

    A request's head gets ``head_seconds``, TLS included.

    Raises:
        OSError: the certificate or its key can't be used.
    """
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="on",
        loop="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        timeout_keep_alive=int(REST_SECONDS),
    )
    tls = certificate.contexts().now if certificate is not None else None
    config.load()
    await _Server(config, listening, tls, room, Patience(head_seconds, REST_SECONDS), ready).serve(sockets=[listening])
