"""How the direct adapter comes to a connection: TCP, and TLS where the URL says so."""

import socket
import ssl
import time

from ajo_worker.api.adapters.arrival import last_arrival
from ajo_worker.api.adapters.connection import Connection
from ajo_worker.api.adapters.exchange import Exchange
from ajo_worker.api.adapters.http1 import Origin
from ajo_worker.api.adapters.tcp import Deadline, connect, ready
from ajo_worker.api.adapters.tls_layer import READ_BYTES, TlsLayer


class NotConnected(Exception):  # noqa: N818 - says what it is
    """There is no connection, and nothing was sent. The cause says why, ``in_tls`` whether TCP stood."""

    def __init__(self, *, in_tls: bool) -> None:
        super().__init__()
        self.in_tls = in_tls


async def open_connection(origin: Origin, context: ssl.SSLContext, exchange: Exchange, *, timeout: float) -> Connection:
    """A fresh connection within ``timeout`` seconds; what our own loop adds is taken off the exchange.

    Raises:
        NotConnected: there is none.
    """
    deadline = Deadline(timeout, exchange.lagged)
    try:
        connected = await connect(origin.host, origin.port, deadline)
    except (OSError, UnicodeError) as fault:
        raise NotConnected(in_tls=False) from fault
    try:
        tls = await _shaken_hands(connected, origin.host, context, deadline) if origin.scheme == "https" else None
        return Connection(connected, tls)
    except (OSError, EOFError) as fault:
        connected.close()
        raise NotConnected(in_tls=True) from fault
    except BaseException:
        connected.close()
        raise


async def _shaken_hands(connected: socket.socket, host: str, context: ssl.SSLContext, deadline: Deadline) -> TlsLayer:
    tls = TlsLayer(context, host)
    while True:
        done, own = tls.shake_hands(), tls.to_send()
        while own:
            try:
                own = own[connected.send(own) :]
            except BlockingIOError:
                await ready(connected, deadline.left(), to_write=True)
        if done:
            return tls
        await ready(connected, deadline.left())
        deadline.lagged(time.monotonic() - last_arrival(connected))
        if not (data := connected.recv(READ_BYTES)):
            raise EOFError
        tls.came(data)
