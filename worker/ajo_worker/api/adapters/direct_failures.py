"""What a fault of the direct adapter means. Pure."""

import socket
import ssl

from ajo_worker.api.adapters.connecting import NotConnected
from ajo_worker.api.adapters.exchange import Exchange
from ajo_worker.api.adapters.http1 import NotHttp
from ajo_worker.api.adapters.system_words import exhausted, words_of
from ajo_worker.api.answer import Failure, FailureKind


def unsent(fault: NotConnected, exchange: Exchange) -> Failure:
    """There was no connection, so nothing was sent."""
    cause = fault.__cause__
    return exchange.failure(_connect_kind(fault), nothing_sent=True, detail=_detail(cause or fault))


def failure_of(fault: Exception, exchange: Exchange, at: float | None = None, body: bytes = b"") -> Failure:
    """The failure that ``fault`` is, at ``at``, once the connection stood: Adobe may have the request.

    ``body`` is what came of the answer's.
    """
    return exchange.failure(_kind(fault), detail=_detail(fault), at=at, body=body)


def _connect_kind(fault: NotConnected) -> FailureKind:
    match fault.__cause__:
        case OSError() as cause if exhausted(cause):
            return "exhausted"
        case _ if fault.stage == "proxy":
            return "proxy"
        case TimeoutError():
            return "connect-timeout"
        case _ if fault.stage == "tls":
            return "tls"
        case socket.gaierror() | UnicodeError():
            return "dns"
        case ConnectionRefusedError():
            return "refused"
    return "connect"


def _kind(fault: Exception) -> FailureKind:
    match fault:
        case NotHttp() | ssl.SSLError():
            return "protocol"
        case TimeoutError(errno=None):  # ours; TCP's own, of a dead peer, has a number
            return "timeout"
        case EOFError() | OSError():
            return "reset"
    return "internal"


def _detail(fault: BaseException) -> str:
    """The class, and the system's words for it; nothing that the other side has said."""
    words = words_of(fault) if isinstance(fault, OSError) else str(fault) if isinstance(fault, NotHttp) else ""
    return f"{type(fault).__name__}: {words}" if words else type(fault).__name__
