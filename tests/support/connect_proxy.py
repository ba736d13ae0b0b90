"""An HTTP proxy over real sockets: it makes tunnels (CONNECT), forwards plain calls, and fails in every way."""

import re
import socket
import threading
from base64 import b64encode
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tests.support.proxy import close

CHUNK = 65_536
USER, PASSWORD = "us@er", "planted:proxy/password-5ab2"
REFUSED = (
    b"HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm=x\r\ncontent-length: 0\r\n\r\n"
)
HEAD_END = b"\r\n\r\n"


class ConnectProxy:
    """A proxy on a free port of 127.0.0.1, or on ``port``; ``url`` has its user and password.

    ``heads`` are the requests that came, ``tunnels`` how many stand or stood, ``open`` the connections that are open.
    With ``answer`` it says that in place of making a tunnel, and closes; with ``silent`` it says nothing at all.
    """

    def __init__(self, *, answer: bytes | None = None, silent: bool = False, port: int = 0) -> None:
        self.answer, self.silent = answer, silent
        self.heads: list[bytes] = []
        self.tunnels = 0
        self.open = 0
        self._sockets: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", port), backlog=512)
        self.port: int = self._server.getsockname()[1]
        self.url = f"http://us%40er:planted%3Aproxy%2Fpassword-5ab2@127.0.0.1:{self.port}"
        self._credentials = b"Basic " + b64encode(f"{USER}:{PASSWORD}".encode())

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.die()

    def die(self) -> None:
        """End, with all tunnels."""
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)  # wakes whoever accepts
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """Cut all connections; new ones are taken."""
        sockets, self._sockets = self._sockets, []
        close(*sockets)

    def _accept(self) -> None:
        with suppress(OSError):  # it has ended
            while True:
                client, _ = self._server.accept()
                self._sockets.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        self.open += 1
        try:
            with suppress(OSError):
                while self._one(client):
                    pass
        finally:
            self.open -= 1
            close(client)

    def _one(self, client: socket.socket) -> bool:
        """Serve one request; whether another one may follow on the connection."""
        head = b""
        while HEAD_END not in head:
            if not (data := client.recv(CHUNK)):
                return False
            head += data
        head, _, rest = head.partition(HEAD_END)
        self.heads.append(head)
        if self.silent:
            return bool(client.recv(CHUNK))
        if self.answer is not None:
            client.sendall(self.answer)
            return False
        given = re.search(rb"(?im)^proxy-authorization: *(.*?)\r?$", head)
        if given is None or given[1] != self._credentials:
            client.sendall(REFUSED)
            return True
        method, target, _ = head.split(b"\r\n", 1)[0].split(b" ")
        if method == b"CONNECT":
            self._tunnel(client, target.decode())
            return False
        return self._forward(client, head, target.decode(), rest)

    def _tunnel(self, client: socket.socket, target: str) -> None:
        host, _, port = target.rpartition(":")
        try:
            other = socket.create_connection((host.strip("[]"), int(port)), timeout=10)
        except OSError:
            client.sendall(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")
            return
        other.settimeout(None)
        self._sockets.append(other)
        self.tunnels += 1
        client.sendall(
            b"HTTP/1.1 200 Connection established\r\ncontent-length: 7\r\n\r\n"
        )  # a length that says nothing
        threading.Thread(target=_pump, args=(other, client), daemon=True).start()
        _pump(client, other)

    def _forward(self, client: socket.socket, head: bytes, target: str, rest: bytes) -> bool:
        """Send a plain call on, on a connection of its own, and its answer back."""
        parts = urlsplit(target)
        method = head.partition(b" ")[0]
        lines = [line for line in head.split(b"\r\n")[1:] if not line.lower().startswith((b"proxy-", b"connection:"))]
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        own = b"\r\n".join([b"%s %s HTTP/1.1" % (method, path.encode()), *lines, b"connection: close"]) + HEAD_END
        length = re.search(rb"(?im)^content-length: *(\d+)", head)
        while length and len(rest) < int(length[1]):
            rest += client.recv(CHUNK)
        try:
            other = socket.create_connection((str(parts.hostname), parts.port or 80), timeout=10)
        except OSError:
            client.sendall(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            return False
        other.settimeout(None)
        self._sockets.append(other)
        other.sendall(own + rest)
        _pump(other, client)
        return False


def _pump(source: socket.socket, target: socket.socket) -> None:
    """Bytes from one side to the other, until either has ended; both end then."""
    with suppress(OSError):
        while data := source.recv(CHUNK):
            target.sendall(data)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
