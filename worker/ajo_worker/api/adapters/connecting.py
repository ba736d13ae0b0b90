"""How the direct adapter comes to a connection: TCP, a proxy's tunnel if there is one, TLS where the URL says so."""

import socket
import ssl
import time
from typing import Literal, TypeAlias

from ajo_worker.api.adapters.arrival import receive
from ajo_worker.api.adapters.connection import Connection
from ajo_worker.api.adapters.exchange import Exchange
from ajo_worker.api.adapters.http1_request import Origin
from ajo_worker.api.adapters.tcp import Deadline, connect, ready
from ajo_worker.api.adapters.tls_layer import READ_BYTES, TlsLayer
from ajo_worker.api.tunnel import Tunnel, tunnel_request
from ajo_worker.settings.proxies import Proxy

Stage: TypeAlias = Literal["tcp", "proxy", "tls"]


class NotConnected(Exception):  # noqa: N818 - says what it is
    """There is no connection, and nothing was sent. The cause says why, ``stage`` how far it came."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.stage = stage


async def open_connection(
    origin: Origin, context: ssl.SSLContext, exchange: Exchange, proxy: Proxy | None, *, timeout: float
) -> Connection:
    """A fresh connection within ``timeout`` seconds; what our own loop adds is taken off the exchange.

    Raises:
        NotConnected: there is none.
    """
    deadline = Deadline(timeout, exchange.lagged)
    stage: Stage = "proxy" if proxy else "tcp"
    host, port = (proxy.host, proxy.port) if proxy else (origin.host, origin.port)
    try:
        connected = await connect(host, port, deadline)
    except (OSError, UnicodeError) as fault:
        raise NotConnected(stage) from fault
    try:
        if proxy:
            await _send(connected, tunnel_request(origin.host, origin.port, proxy), deadline)
            tunnel = Tunnel()
            while not tunnel.stands:
                tunnel.feed(await _received(connected, deadline))
        stage = "tls"
        tls = await _shaken_hands(connected, origin.host, context, deadline) if origin.scheme == "https" else None
        return Connection(connected, tls)
    except (OSError, EOFError, UnicodeError) as fault:
        connected.close()
        raise NotConnected(stage) from fault
    except BaseException:
        connected.close()
        raise


async def _shaken_hands(connected: socket.socket, host: str, context: ssl.SSLContext, deadline: Deadline) -> TlsLayer:
    tls = TlsLayer(context, host)
    while True:
        done = tls.shake_hands()
        await _send(connected, tls.to_send(), deadline)
        if done:
            return tls
        tls.came(await _received(connected, deadline))


async def _send(connected: socket.socket, data: bytes, deadline: Deadline) -> None:
    while data:
        try:
            data = data[connected.send(data) :]
        except BlockingIOError:
            await ready(connected, deadline.left(), to_write=True)


async def _received(connected: socket.socket, deadline: Deadline) -> bytes:
    await ready(connected, deadline.left())
    data, came = receive(connected, READ_BYTES)
    deadline.lagged(time.monotonic() - came)
    if not data:
        raise EOFError
    return data
