"""What pyreqwest's errors mean; the texts are those that pyreqwest 0.15.1 gave on real sockets."""

import pytest
from ajo_worker.api.adapters.exchange import Exchange
from ajo_worker.api.adapters.pyreqwest_failures import failure_of
from ajo_worker.api.answer import FailureKind
from pyreqwest.exceptions import (
    BodyDecodeError,
    ClientClosedError,
    ConnectError,
    ConnectTimeoutError,
    DecodeError,
    DetailedPyreqwestError,
    ReadError,
    ReadTimeoutError,
    RequestError,
    RequestPanicError,
)

OUTER = "error sending request for url (https://platform.adobe.io/ajo?key=hidden)"
CONNECT = "client error (Connect)"
SEND = "client error (SendRequest)"
TCP = "tcp connect error"


def error(kind: type[DetailedPyreqwestError], *causes: str) -> DetailedPyreqwestError:
    return kind("some text", {"causes": [{"message": cause} for cause in causes] or None})


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (error(ConnectError, OUTER, CONNECT, TCP, "Connection refused (os error 111)"), "refused"),
        (error(ConnectError, OUTER, CONNECT, TCP, "Network is unreachable (os error 101)"), "connect"),
        (error(RequestError, OUTER, CONNECT, "tcp open error", "Too many open files (os error 24)"), "exhausted"),
        (error(ConnectError, OUTER, CONNECT, "dns error", "error resolving DNS", "failed to lookup address"), "dns"),
        (error(ConnectTimeoutError, OUTER, CONNECT, TCP, "deadline has elapsed"), "connect-timeout"),
        (error(ConnectTimeoutError, OUTER, CONNECT, "operation timed out"), "connect-timeout"),
        (error(ConnectError, OUTER, CONNECT, "invalid peer certificate: UnknownIssuer"), "tls"),
        (error(ConnectError, OUTER, CONNECT, "Connection reset by peer (os error 104)"), "tls"),
    ],
)
def test_a_failure_to_connect_proves_that_nothing_was_sent(fault: Exception, kind: FailureKind) -> None:
    failure = failure_of(fault, Exchange())
    assert (failure.kind, failure.perhaps_processed) == (kind, False)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (error(ConnectTimeoutError, OUTER, "operation timed out"), "timeout"),
        (error(ReadTimeoutError, OUTER, "Connection timed out (os error 110)"), "reset"),
        (error(ConnectError, OUTER, SEND, "connection error", "Connection reset by peer (os error 104)"), "reset"),
        (error(ConnectError, OUTER, SEND, "connection closed before message completed"), "reset"),
        (error(RequestError, OUTER, SEND, "connection error", "No route to host (os error 113)"), "reset"),
        (error(RequestError, OUTER, "client error (Canceled)", "operation was canceled"), "reset"),
        (error(DecodeError, OUTER, SEND, "invalid HTTP version parsed"), "protocol"),
        (error(ConnectError, OUTER, f"certificate for {CONNECT}"), "reset"),
        (error(ClientClosedError), "internal"),
        (error(RequestPanicError), "internal"),
        (error(RequestError), "internal"),
        (TimeoutError(), "timeout"),
        (RuntimeError("hidden"), "internal"),
    ],
)
def test_anything_else_was_perhaps_processed_whatever_its_class_is_called(fault: Exception, kind: FailureKind) -> None:
    failure = failure_of(fault, Exchange())
    assert (failure.kind, failure.perhaps_processed) == (kind, True)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (error(ReadTimeoutError, "request or response body error", "operation timed out"), "timeout"),
        (error(ReadError, "request or response body error", "Connection reset by peer (os error 104)"), "body"),
        (error(BodyDecodeError, "request or response body error"), "body"),
        (error(RequestError, "request or response body error", "end of file before message length reached"), "body"),
    ],
)
def test_after_the_headers_it_is_the_bodys(fault: Exception, kind: FailureKind) -> None:
    exchange = Exchange()
    exchange.headers_came(202)
    failure = failure_of(fault, exchange)
    assert (failure.kind, failure.perhaps_processed, failure.status) == (kind, True, 202)


@pytest.mark.parametrize(
    ("fault", "detail"),
    [
        (
            error(ConnectError, OUTER, CONNECT, TCP, "Connection refused (os error 111)"),
            "Connection refused (os error 111)",
        ),
        (error(RequestError, OUTER), "RequestError"),
        (error(ClientClosedError), "ClientClosedError"),
        (ValueError("Invalid header value: Bearer hidden"), "ValueError"),
    ],
)
def test_the_detail_is_the_innermost_cause_without_url_or_header(fault: Exception, detail: str) -> None:
    assert failure_of(fault, Exchange()).detail == detail
