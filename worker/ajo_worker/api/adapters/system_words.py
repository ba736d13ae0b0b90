"""The system's words for what broke: they never quote what the other side has sent."""

import errno
import os
import re
import socket
import ssl

from ajo_worker.api.tunnel import ProxyFailed

EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})
"""What connect(2) and socket(2) say where files, memory or local ports are used up."""
NUMBERED = re.compile(r"\(os error (\d+)\)$")
"""How Rust's standard library ends the text of a fault of the system."""


def exhausted(fault: BaseException | str) -> bool:
    """Whether our own machine has nothing left for a connection; a text is one of Rust's."""
    if isinstance(fault, str):
        number = NUMBERED.search(fault)
        return number is not None and int(number[1]) in EXHAUSTED
    return isinstance(fault, OSError) and not isinstance(fault, socket.gaierror) and fault.errno in EXHAUSTED


def words_of(fault: OSError) -> str:
    """What happened, in a few words; empty if the system has none."""
    if isinstance(fault, ssl.SSLCertVerificationError):
        return f"certificate verify failed, {fault.verify_message}"
    if isinstance(fault, ssl.SSLError):
        return fault.reason or ""
    if isinstance(fault, socket.gaierror | ProxyFailed):
        return fault.strerror or ""
    return os.strerror(fault.errno) if fault.errno else ""  # asyncio puts words of its own in ``strerror``
