"""Reasons of failed connections."""

import socket
import ssl

import pytest
from ajo_worker.network.reasons import NoHttpAnswer, reason_of


def verification_error(message: str) -> OSError:
    fault = ssl.SSLCertVerificationError(1, "hunter2")
    fault.verify_message = message
    return fault


def ssl_error(reason: str) -> OSError:
    fault = ssl.SSLError(1, "hunter2")
    fault.reason = reason
    return fault


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (verification_error("Hostname mismatch, certificate is not valid for 'h'."), None),
        (verification_error("certificate has expired"), "certificate has expired"),
        (ssl_error("WRONG_VERSION_NUMBER"), "WRONG_VERSION_NUMBER"),
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
        (TimeoutError(110, "hunter2"), "no answer"),
        (ConnectionRefusedError(111, "Connect call failed ('hunter2', 9)"), "Connection refused"),
        (NoHttpAnswer("the answer is not HTTP"), "the answer is not HTTP"),
        (OSError("Multiple exceptions: hunter2"), "no address takes a connection"),
    ],
)
def test_a_reason_is_in_the_system_s_words(fault: OSError, reason: str | None) -> None:
    assert reason_of(fault) == (reason or "Hostname mismatch, certificate is not valid for 'h'")
