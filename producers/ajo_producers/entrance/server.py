"""Serves an application until it is told to stop, and then finishes what is in hand."""

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from ajo_producers.contract.authority import authority
from ajo_producers.contract.reading import check_regular
from ajo_producers.contract.stop_signals import stop_signals
from ajo_producers.entrance.connections import Entrance, Patience, Protocol, SentAway
from ajo_producers.entrance.guests import Guest, Room

DRAIN_SECONDS = 30
"""What requests in hand get at a stop; each ends by itself before."""


REST_SECONDS = 5.0
"""For which a connection may stay without a request."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files in PEM, for HTTPS."""

    chain: Path
    key: Path

    @property
    def files(self) -> tuple[Path, Path]:
        """Both."""
        return self.chain, self.key

    def load(self) -> ssl.SSLContext:
        """The context that shows it, with the files as they are now.

        Raises:
            OSError: they can't be used.
        """
        for file in self.files:
            check_regular(file)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain, self.key)
        return context


class _Server(uvicorn.Server):
    def __init__(
        self,
        config: uvicorn.Config,
        listening: socket.socket,
        tls: Callable[[], ssl.SSLContext] | None,
        room: Room,
        patience: Patience,
        ready: Callable[[], None],
        tell: Callable[[SentAway], None],
    ) -> None:
        super().__init__(config)
        self._listening, self._room, self._patience, self._ready = listening, room, patience, ready
        self._tls, self._tell = tls, tell

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Begin to take requests, through a door of our own: uvicorn's keeps every connection that comes, for ever."""
        await super().startup(sockets=[])
        entrance = Entrance(self._listening, self._protocol, self._tls, self._room, self._patience, self._tell)
        self.servers = [entrance]  # type: ignore[list-item] # it closes as one of asyncio's does
        entrance.open()
        with contextlib.suppress(OSError):  # nobody reads it, or a disk is full: requests are taken all the same
            self._ready()

    def _protocol(self, entrance: Entrance, guest: Guest) -> Protocol:
        state = self.lifespan.state
        return Protocol(entrance, guest, config=self.config, server_state=self.server_state, app_state=state)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop when told; a stop in good order ends with 0, and not by the signal."""
        loop, numbers = asyncio.get_running_loop(), stop_signals()
        for number in numbers:
            loop.add_signal_handler(number, self._stop)
        yield
        for number in numbers:
            loop.remove_signal_handler(number)

    def _stop(self) -> None:
        self.should_exit = True


class CantListen(Exception):  # noqa: N818 - says what
    """An address that can't be listened on, and why."""


def bind(host: str, port: int) -> tuple[socket.socket, str]:
    """A listening socket, and its address as URLs have it. Port 0 is a free one.

    Raises:
        CantListen: the address can't be listened on.
    """
    try:
        return _bind(host, port)
    except OSError as fault:
        known = fault.errno and not isinstance(fault, socket.gaierror)
        reason = os.strerror(fault.errno) if known and fault.errno else fault.strerror or str(fault)
        raise CantListen(f"can't listen on {host}:{port}: {reason}") from None


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bind(host: str, port: int) -> tuple[socket.socket, str]:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(1024)
    except OSError:
        listening.close()
        raise
    return listening, authority(host, listening.getsockname()[1])


async def serve(
    app: Starlette,
    listening: socket.socket,
    tls: Callable[[], ssl.SSLContext] | None,
    room: Room,
    head_seconds: float,
    ready: Callable[[], None],
    tell: Callable[[SentAway], None],
) -> None:
    """Serve until told to stop. ``ready`` is called once requests are taken, ``tell`` for connections cut.

    A request's head gets ``head_seconds``, TLS included; ``tls`` is asked for the context of each connection.
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
    config.load()
    server = _Server(config, listening, tls, room, Patience(head_seconds, REST_SECONDS), ready, tell)
    await server.serve(sockets=[listening])
