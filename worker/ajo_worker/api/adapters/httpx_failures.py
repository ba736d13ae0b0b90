"""What an error of httpx2 means, and how far a call had come. Pure.

The classes tell what broke, not when; httpcore's trace tells when: its last event before the error.
"""

import socket
from collections.abc import Iterator

import httpx2

from ajo_worker.api.adapters.exchange import Exchange
from ajo_worker.api.adapters.system_words import exhausted, words_of
from ajo_worker.api.answer import Failure, FailureKind

CONNECTING = "connection."
"""Begins the events of TCP and TLS (``Trace`` in httpcore2). The next one is http11.send_request_headers.started, so a
last event that begins so proves that nothing was sent; no event at all, or an unknown one, proves nothing."""

HANDSHAKE = "connection.start_tls."

DISCONNECTED = "Server disconnected"
"""Begins the one ``RemoteProtocolError`` that is no protocol error: the connection closed before the answer began."""


def failure_of(fault: Exception, exchange: Exchange, last_event: str) -> Failure:
    """The failure that ``fault`` is, after ``last_event``; nothing counts as unsent unless that proves it."""
    nothing_sent = last_event.startswith(CONNECTING)
    kind = _connect_kind(fault, last_event) if nothing_sent else _kind(fault)
    return exchange.failure(kind, nothing_sent=nothing_sent, detail=_detail(fault))


def _connect_kind(fault: Exception, last_event: str) -> FailureKind:
    if isinstance(fault, httpx2.ProxyError):
        return "proxy"
    causes = [*_chain(fault)]
    if any(exhausted(cause) for cause in causes):
        return "exhausted"
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return "dns"
    if isinstance(fault, TimeoutError | httpx2.TimeoutException):
        return "connect-timeout"
    if last_event.startswith(HANDSHAKE):
        return "tls"
    return "refused" if any(isinstance(cause, ConnectionRefusedError) for cause in causes) else "connect"


def _kind(fault: Exception) -> FailureKind:
    if isinstance(fault, TimeoutError | httpx2.TimeoutException):
        return "timeout"
    if isinstance(fault, httpx2.RemoteProtocolError):
        return "reset" if str(fault).startswith(DISCONNECTED) else "protocol"
    return "reset" if isinstance(fault, httpx2.NetworkError) else "internal"


def _chain(fault: BaseException) -> Iterator[BaseException]:
    """The fault and its causes; httpcore drops ``__cause__`` on the way, and leaves ``__context__``."""
    current: BaseException | None = fault
    while current is not None:
        yield current
        if isinstance(current, BaseExceptionGroup):
            for part in current.exceptions:
                yield from _chain(part)
        current = current.__cause__ or current.__context__


def _detail(fault: Exception) -> str:
    """The class, and the system's words for it; the exception's own may quote a header or what the server sent."""
    if isinstance(fault, httpx2.ProxyError):
        return f"ProxyError: {fault}"  # our own words: see ``tunnels``
    words = [text for cause in _chain(fault) if isinstance(cause, OSError) and (text := words_of(cause))]
    return f"{type(fault).__name__}: {words[-1]}" if words else type(fault).__name__
