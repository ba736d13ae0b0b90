"""What a fault of the direct adapter means, where no connection came about."""

import errno
import socket

import pytest
from ajo_worker.api.adapters.connecting import NotConnected, Stage
from ajo_worker.api.adapters.direct_failures import unsent
from ajo_worker.api.adapters.exchange import Exchange
from ajo_worker.api.answer import FailureKind


@pytest.mark.parametrize(
    ("stage", "cause", "kind"),
    [
        ("tcp", OSError(errno.EMFILE, "Too many open files"), "exhausted"),
        ("tcp", OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address"), "exhausted"),
        ("proxy", OSError(errno.ENFILE, "Too many open files in system"), "exhausted"),
        ("proxy", ConnectionRefusedError(errno.ECONNREFUSED, "x"), "proxy"),
        ("tcp", ConnectionRefusedError(errno.ECONNREFUSED, "x"), "refused"),
        ("tcp", OSError(errno.ENETUNREACH, "x"), "connect"),
        ("tcp", socket.gaierror(socket.EAI_AGAIN, "x"), "dns"),
        ("tcp", TimeoutError(), "connect-timeout"),
        ("tls", OSError(errno.ECONNRESET, "x"), "tls"),
    ],
)
def test_while_connecting_nothing_was_sent(stage: Stage, cause: OSError, kind: FailureKind) -> None:
    fault = NotConnected(stage)
    fault.__cause__ = cause
    failure = unsent(fault, Exchange())
    assert (failure.kind, failure.perhaps_processed) == (kind, False)
