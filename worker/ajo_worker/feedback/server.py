"""Serves the receiver until it is told to stop, and then finishes what is in hand."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

DRAIN_SECONDS = 30
"""What requests in hand get at a stop; each ends by itself before."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files in PEM, for HTTPS."""

    chain: Path
    key: Path


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to take requests."""
        await super().startup(sockets)
        if self.started:
            self._ready()

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
    app: Starlette, listening: socket.socket, certificate: Certificate | None, ready: Callable[[], None]
) -> None:
    """Serve until SIGTERM or SIGINT. ``ready`` is called once requests are taken.

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
        ssl_certfile=certificate.chain if certificate else None,
        ssl_keyfile=certificate.key if certificate else None,
    )
    config.load()
    await _Server(config, ready).serve(sockets=[listening])
