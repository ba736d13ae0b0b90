"""What an error of pyreqwest means. Pure.

Its class alone misleads: an endpoint that reads the request and hangs gives ``ConnectTimeoutError``, one that reads it
and resets gives ``ConnectError``. The proof is in the causes, which are the texts of Rust's chain of errors.
"""

import re

from pyreqwest.exceptions import ClientClosedError, DecodeError, NetworkError, PyreqwestError, RequestTimeoutError

from ajo_worker.api.adapters.exchange import Exchange
from ajo_worker.api.adapters.system_words import exhausted
from ajo_worker.api.answer import Failure, FailureKind

CONNECT = "client error (Connect)"
"""hyper-util says this where it got no connection, TLS included: then it held no request yet (``connect_to`` in
src/client/legacy/client.rs of hyper-util 0.1.20; the conformance suite tries it on real sockets)."""

SENDING = frozenset({"client error (SendRequest)", "client error (Canceled)"})
"""hyper-util says these where it had a connection; a network fault that pyreqwest has no class for ends up here too."""

DEAD_PEER = re.compile(r"(?:Connection|Operation) timed out \(os error \d+\)")
"""The system's words for ETIMEDOUT."""


def failure_of(fault: Exception, exchange: Exchange, at: float | None = None, *, proxied: bool = False) -> Failure:
    """The failure that ``fault`` is, told at ``at``; nothing counts as unsent unless the causes prove it.

    A tunnel that isn't there in time, and a handshake in it, look alike: both count as the proxy's.
    """
    causes = causes_of(fault)
    kind = _kind(fault, causes)
    if proxied and CONNECT in causes and kind not in {"exhausted", "tls"}:
        kind = "proxy"
    return exchange.failure(kind, nothing_sent=CONNECT in causes, detail=_detail(fault, causes), at=at)


def causes_of(fault: Exception) -> list[str]:
    """The texts of the causes, outermost first. Compare them whole: a part may be what the other side has said."""
    details = getattr(fault, "details", None) or {}
    return [cause["message"] for cause in details.get("causes") or ()]


def _kind(fault: Exception, causes: list[str]) -> FailureKind:
    if CONNECT in causes:
        return _connect_kind(fault, causes[causes.index(CONNECT) + 1 :])
    if isinstance(fault, TimeoutError):  # pyreqwest's own, the adapter's, or TCP's of a dead peer
        return "reset" if causes and DEAD_PEER.fullmatch(causes[-1]) else "timeout"
    if isinstance(fault, ClientClosedError) or not isinstance(fault, PyreqwestError):
        return "internal"
    if isinstance(fault, DecodeError):
        return "protocol"
    return "reset" if isinstance(fault, NetworkError) or SENDING & {*causes} else "internal"


def _connect_kind(fault: Exception, causes: list[str]) -> FailureKind:
    if isinstance(fault, RequestTimeoutError):
        return "connect-timeout"
    if any(cause.startswith("tunnel error") for cause in causes):
        return "proxy"
    if any(exhausted(cause) for cause in causes):
        return "exhausted"
    if "dns error" in causes:
        return "dns"
    if any(cause.startswith("tcp ") for cause in causes):
        return "refused" if causes[-1].startswith("Connection refused") else "connect"
    return "tls"  # the connection stood, and no request was on it yet


def _detail(fault: Exception, causes: list[str]) -> str:
    """The innermost cause; the outer ones have the URL in them, and other exceptions a header's value."""
    return causes[-1] if causes and "://" not in causes[-1] else type(fault).__name__
