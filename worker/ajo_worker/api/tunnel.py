"""A tunnel through an HTTP proxy: what is asked for it, and what the answer says. Pure.

RFC 9110, 9.3.6: any 2xx makes the tunnel, and what follows its head is the other side's.
"""

import re
from http import HTTPStatus

from ajo_producers.contract.authority import authority

from ajo_worker.settings.proxies import Proxy

MOST_HEAD = 65_536
"""Bytes of a proxy's answer that are read at most."""
HEAD_END = re.compile(rb"\r?\n\r?\n")
STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-9][0-9][0-9])(?: [^\r\n]*)?\r?\n")


class ProxyFailed(OSError):  # noqa: N818 - says what it found
    """There is no tunnel, so nothing was sent to Adobe; ``strerror`` says why, and quotes nothing of what came."""

    def __init__(self, why: str) -> None:
        super().__init__(None, why)

    def __str__(self) -> str:
        """Why."""
        return f"proxy: {self.strerror}"


class Tunnel:
    """The proxy's answer as it comes in; ``stands`` once the tunnel does."""

    __slots__ = ("_head", "stands")

    def __init__(self) -> None:
        self._head = b""
        self.stands = False

    def feed(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            ProxyFailed: the proxy makes no tunnel, or what it says is no answer.
        """
        self._head += data
        while not self.stands and (end := HEAD_END.search(self._head)):
            status = STATUS_LINE.match(self._head)
            if status is None:
                raise ProxyFailed("it doesn't answer as an HTTP proxy does")
            rest = self._head[end.end() :]
            self._judge(int(status[1]), rest)
            self._head = rest
        if len(self._head) > MOST_HEAD or not (self.stands or b"HTTP/1."[: len(self._head)] == self._head[:7]):
            raise ProxyFailed("it doesn't answer as an HTTP proxy does")

    def _judge(self, status: int, rest: bytes) -> None:
        if status < HTTPStatus.OK and status != HTTPStatus.SWITCHING_PROTOCOLS:
            return  # an interim answer
        if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            raise ProxyFailed("status 407, it asks for a user and password, or refuses ours")
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise ProxyFailed(f"status {status}, it makes no tunnel to the endpoint")
        if rest:  # whoever calls speaks first, also over TLS
            raise ProxyFailed("something came before anything was asked of the endpoint")
        self.stands = True


def tunnel_request(host: str, port: int, proxy: Proxy) -> bytes:
    """What asks ``proxy`` for a tunnel to an endpoint.

    Raises:
        UnicodeError: the host's name is none.
    """
    name = host.encode("ascii" if ":" in host else "idna").decode("ascii")
    target = authority(name, port)
    lines = [f"CONNECT {target} HTTP/1.1", f"host: {target}", "user-agent: ajo-dispatch"]
    if proxy.authorization is not None:
        lines.append(f"proxy-authorization: {proxy.authorization}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")
