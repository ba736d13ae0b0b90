"""What httpx2's errors mean, by how far the call had come."""

import errno
import socket
import ssl

import httpx2
import pytest
from ajo_worker.api.adapters.exchange import Exchange
from ajo_worker.api.adapters.httpx_failures import failure_of
from ajo_worker.api.answer import FailureKind

TCP, TLS = "connection.connect_tcp.failed", "connection.start_tls.failed"
SENDING, READING = "http11.send_request_headers.started", "http11.receive_response_headers.failed"
REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 9)")


def caused(fault: Exception, cause: BaseException) -> Exception:
    """Chained as httpcore leaves it: without ``__cause__``."""
    fault.__context__ = cause
    return fault


def unverified() -> ssl.SSLCertVerificationError:
    fault = ssl.SSLCertVerificationError(1, "certificate verify failed")
    fault.verify_message = "certificate has expired"
    return fault


@pytest.mark.parametrize(
    ("fault", "last_event", "kind"),
    [
        (caused(httpx2.ConnectError("x"), REFUSED), TCP, "refused"),
        (caused(httpx2.ConnectError("x"), ExceptionGroup("both addresses", [OSError("y"), REFUSED])), TCP, "refused"),
        (caused(httpx2.ConnectError("x"), OSError(errno.ENETUNREACH, "y")), TCP, "connect"),
        (caused(httpx2.ConnectError("x"), OSError(errno.EMFILE, "y")), TCP, "exhausted"),
        (
            caused(httpx2.ConnectError("x"), ExceptionGroup("both addresses", [OSError(errno.EADDRNOTAVAIL, "y")])),
            TCP,
            "exhausted",
        ),
        (caused(httpx2.ConnectError("x"), socket.gaierror(-2, "Name or service not known")), TCP, "dns"),
        (httpx2.ConnectTimeout("x"), TCP, "connect-timeout"),
        (httpx2.ConnectTimeout("x"), TLS, "connect-timeout"),
        (TimeoutError(), "connection.connect_tcp.started", "connect-timeout"),
        (caused(httpx2.ConnectError("x"), unverified()), TLS, "tls"),
        (httpx2.ConnectError("x"), TLS, "tls"),
    ],
)
def test_while_connecting_nothing_was_sent(fault: Exception, last_event: str, kind: FailureKind) -> None:
    failure = failure_of(fault, Exchange(), last_event)
    assert (failure.kind, failure.perhaps_processed) == (kind, False)


@pytest.mark.parametrize(
    ("fault", "last_event", "kind"),
    [
        (httpx2.ConnectError("x"), "", "reset"),
        (httpx2.ConnectError("x"), "an.event.of.another.version", "reset"),
        (TimeoutError(), "", "timeout"),
        (TimeoutError(), SENDING, "timeout"),
        (httpx2.ReadTimeout("x"), READING, "timeout"),
        (httpx2.ReadError("x"), READING, "reset"),
        (httpx2.WriteError("x"), SENDING, "reset"),
        (httpx2.RemoteProtocolError("Server disconnected without sending a response."), READING, "reset"),
        (httpx2.RemoteProtocolError("illegal status line: bytearray(b'hidden')"), READING, "protocol"),
        (httpx2.LocalProtocolError("Illegal header value b'hidden'"), SENDING, "internal"),
        (RuntimeError("hidden"), SENDING, "internal"),
    ],
)
def test_without_a_proof_it_was_perhaps_processed(fault: Exception, last_event: str, kind: FailureKind) -> None:
    failure = failure_of(fault, Exchange(), last_event)
    assert (failure.kind, failure.perhaps_processed) == (kind, True)
    assert "hidden" not in failure.detail


@pytest.mark.parametrize(
    ("fault", "detail"),
    [
        (caused(httpx2.ConnectError("x"), REFUSED), "ConnectError: Connection refused"),
        (caused(httpx2.ConnectError("x"), socket.gaierror(-2, "Name not known")), "ConnectError: Name not known"),
        (
            caused(httpx2.ConnectError("x"), unverified()),
            "ConnectError: certificate verify failed, certificate has expired",
        ),
        (httpx2.ReadError("hidden"), "ReadError"),
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_the_detail_is_in_the_systems_words(fault: Exception, detail: str) -> None:
    assert failure_of(fault, Exchange(), TCP).detail == detail
