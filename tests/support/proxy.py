"""A line to a broker that a test can cut, freeze and count: a TCP proxy on a free port of this machine."""

import socket
import ssl
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

CHUNK = 65_536


class Proxy:
    """Forwards connections to the broker of ``url``; reach it at ``self.url``, over TLS with a context for it.

    ``connections`` were taken so far, and ``open`` of them are open; ``sent`` bytes went to the broker.
    """

    def __init__(self, url: str, tls: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 5672)
        self._server = socket.create_server(("127.0.0.1", 0))
        user, at, _ = parts.netloc.rpartition("@")
        netloc = f"{user}{at}127.0.0.1:{self._server.getsockname()[1]}"
        self.url = parts._replace(scheme=f"{parts.scheme}{'s' * (tls is not None)}", netloc=netloc).geturl()
        self._tls = tls
        self.connections = 0
        self.open = 0
        self.sent = 0
        self._limit: int | None = None
        self._deaf = 0
        self._flowing = threading.Event()
        self._flowing.set()
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_after(self, answer: int) -> None:
        """Let as many bytes of the broker's answers through, then cut that connection; later ones are left alone."""
        self._limit = answer

    def freeze(self) -> None:
        """From now on the broker seems not to answer, not even to a farewell; its connections stay open."""
        self._flowing.clear()

    def thaw(self) -> None:
        """It answers again."""
        self._flowing.set()

    def deafen(self) -> None:
        """Nothing comes through the connections that there are, and nobody is told; new ones are as ever."""
        self._deaf = self.connections

    def cut(self) -> None:
        """Close all connections; new ones are taken."""
        sockets, self._sockets = self._sockets, []
        close(*sockets)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close everything."""
        self._server.close()
        self.cut()
        self.thaw()

    def _accept(self) -> None:
        with suppress(OSError):  # the test has ended
            while True:
                client, _ = self._server.accept()
                if self._tls is not None:
                    try:
                        client = self._tls.wrap_socket(client, server_side=True)
                    except OSError:  # the other side doesn't trust us
                        client.close()
                        continue
                broker = socket.create_connection(self._target)
                self.connections += 1
                self.open += 1
                self._sockets += [client, broker]
                both = client, broker, self.connections
                threading.Thread(target=self._forward, args=both, daemon=True).start()
                threading.Thread(target=self._answer, args=both, daemon=True).start()

    def _forward(self, client: socket.socket, broker: socket.socket, number: int) -> None:
        with suppress(OSError):
            while data := client.recv(CHUNK):
                if number <= self._deaf:
                    continue
                self.sent += len(data)
                broker.sendall(data)
        self._flowing.wait()
        self.open -= 1
        close(client, broker)

    def _answer(self, client: socket.socket, broker: socket.socket, number: int) -> None:
        with suppress(OSError):
            while data := broker.recv(CHUNK):
                if number <= self._deaf:
                    continue
                self._flowing.wait()
                if self._limit is not None and len(data) >= self._limit:
                    client.sendall(data[: self._limit])
                    self._limit = None
                    break
                if self._limit is not None:
                    self._limit -= len(data)
                client.sendall(data)
        close(client, broker)


def close(*sockets: socket.socket) -> None:
    """End them for both sides."""
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()
