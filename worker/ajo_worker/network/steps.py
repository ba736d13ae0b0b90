"""The steps on the way to an endpoint, each for so many seconds at most. They block: see ``way``."""

import re
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic, time
from typing import TypeAlias

from ajo_worker.api.tunnel import ProxyFailed, Tunnel, tunnel_request
from ajo_worker.daemon_threads import DaemonThreads
from ajo_worker.network.destination import Destination
from ajo_worker.network.reasons import NoHttpAnswer
from ajo_worker.settings.proxies import Proxy

SocketAddress: TypeAlias = tuple[str, int] | tuple[str, int, int, int]
Address: TypeAlias = tuple[socket.AddressFamily, SocketAddress]
Resolver: TypeAlias = Callable[[str, int], Sequence[Address]]

MOST_BYTES = 8192
"""What is read of an answer at most: its status and its date stand at its head."""
STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})(?: |\r\n)")
DATE = re.compile(rb"\r\ndate: *([ -~]+?) *\r\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Head:
    """What an endpoint answered: its first byte came after ``seconds``.

    ``asked`` and ``answered``, which is when that byte came, are by this machine's wall clock.
    """

    status: int
    date: str | None
    seconds: float
    asked: float
    answered: float


def look_up(host: str, port: int) -> Sequence[Address]:
    """The addresses of a host, as the system resolves them.

    Raises:
        socket.gaierror: it has none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise socket.gaierror(socket.EAI_NONAME, "not the name of a host") from None
    return [(family, address) for family, _, _, _, address in found]  # type: ignore[misc] # only IP is asked for


def resolve(destination: Destination, seconds: float, resolver: Resolver) -> Sequence[Address]:
    """The addresses that connections go to: the destination's, or those of the proxy on the way.

    Raises:
        OSError: none, or not in time.
    """
    proxy = destination.route.proxy
    host, port = (proxy.host, proxy.port) if proxy else (destination.host, destination.port)
    return DaemonThreads().submit(resolver, host, port).result(seconds)


def connect(addresses: Sequence[Address], seconds: float) -> socket.socket:
    """A connection to the first address that takes one; none may use up the time of those after it.

    Raises:
        OSError: of the last address.
    """
    until = monotonic() + seconds
    fault: OSError = OSError()
    for left, (family, address) in zip(range(len(addresses), 0, -1), addresses, strict=True):
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(_left(until) / left)
            connection.connect(address)
        except OSError as refused:
            connection.close()
            fault = refused
        else:
            return connection
    raise fault


def open_tunnel(connection: socket.socket, destination: Destination, proxy: Proxy, seconds: float) -> None:
    """Have ``proxy``, which ``connection`` leads to, make a tunnel to the destination.

    Raises:
        OSError: it doesn't.
    """
    until, tunnel = monotonic() + seconds, Tunnel()
    connection.settimeout(seconds)
    connection.sendall(tunnel_request(destination.host, destination.port, proxy))
    while not tunnel.stands:
        connection.settimeout(_left(until))
        if not (part := connection.recv(MOST_BYTES)):
            raise ProxyFailed("it closed the connection")
        tunnel.feed(part)


def shake_hands(connection: socket.socket, tls: ssl.SSLContext, host: str, seconds: float) -> ssl.SSLSocket:
    """The same connection under TLS; it is closed if that fails.

    Raises:
        OSError: as the handshake failed, or the certificate doesn't hold.
    """
    connection.settimeout(seconds)
    return tls.wrap_socket(connection, server_hostname=host)


def ask(connection: socket.socket, destination: Destination, headers: Mapping[str, str], seconds: float) -> Head:
    """The answer's head; redirects are not followed, and the body says nothing.

    Raises:
        OSError: there was none.
    """
    began, asked = monotonic(), time()
    until = began + seconds
    connection.settimeout(seconds)
    connection.sendall(_request(destination, headers))
    head, took, answered = b"", 0.0, asked
    while b"\r\n\r\n" not in head and len(head) < MOST_BYTES:
        connection.settimeout(_left(until))
        part = connection.recv(MOST_BYTES - len(head))
        if not part:
            break
        if not head:
            took, answered = monotonic() - began, time()
        head += part
    if not head:
        raise NoHttpAnswer("the connection was closed without an answer")
    if not (status := STATUS_LINE.match(head)):
        raise NoHttpAnswer("the answer is not HTTP")
    date = DATE.search(head)
    return Head(int(status[1]), date[1].decode("ascii") if date else None, took, asked, answered)


def _request(destination: Destination, headers: Mapping[str, str]) -> bytes:
    own = {"host": destination.name, "accept": "*/*", "user-agent": "ajo-dispatch", "connection": "close"}
    # No value may begin a line of its own.
    lines = [f"{name}: {' '.join(value.split())}" for name, value in ({**own, **headers}).items()]
    head = "\r\n".join([f"{destination.method} {destination.target} HTTP/1.1", *lines, "", ""])
    return head.encode("latin-1", "replace")


def _left(until: float) -> float:
    """Seconds left; a socket takes 0 for "never wait", and raises another error then."""
    if (left := until - monotonic()) <= 0:
        raise TimeoutError
    return left
