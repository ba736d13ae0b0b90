"""The system's words for what broke: they never quote what the other side has sent."""

import os
import socket
import ssl

from ajo_worker.api.tunnel import ProxyFailed


def words_of(fault: OSError) -> str:
    """What happened, in a few words; empty if the system has none."""
    if isinstance(fault, ssl.SSLCertVerificationError):
        return f"certificate verify failed, {fault.verify_message}"
    if isinstance(fault, ssl.SSLError):
        return fault.reason or ""
    if isinstance(fault, socket.gaierror | ProxyFailed):
        return fault.strerror or ""
    return os.strerror(fault.errno) if fault.errno else ""  # asyncio puts words of its own in ``strerror``
