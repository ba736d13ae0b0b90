"""Why a connection failed, in the operating system's words and no others: those of libraries hold addresses. Pure."""

import os
import socket
import ssl

from ajo_worker.api.tunnel import ProxyFailed


class NoHttpAnswer(OSError):  # noqa: N818 - says what it found
    """What came back, or did not, is no answer in HTTP; the text says so, without anything of it."""


def reason_of(fault: OSError) -> str:
    """The reason, such as ``Connection refused``."""
    match fault:
        case NoHttpAnswer() | ProxyFailed():
            return str(fault)
        case ssl.SSLCertVerificationError():
            return fault.verify_message.rstrip(".")
        case ssl.SSLError():
            return fault.reason or type(fault).__name__
        case socket.gaierror():  # its numbers are the resolver's own
            return fault.strerror or "unknown host"
        case TimeoutError():
            return "no answer"
    # asyncio tells several addresses that failed differently without a number.
    return os.strerror(fault.errno) if fault.errno else "no address takes a connection"
