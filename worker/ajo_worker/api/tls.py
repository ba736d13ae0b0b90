"""TLS as every connection to Adobe uses it: verified, with the system's certificates and perhaps one more file."""

import socket
import ssl
from collections.abc import Iterable
from pathlib import Path

from ajo_producers.contract.reading import check_regular

from ajo_worker.renewal import Renewed
from ajo_worker.settings import Settings


class RenewedContext(ssl.SSLContext):
    """A client's context that is made anew when files of certificates change: each connection has the newest."""

    def __new__(cls, _: Renewed[ssl.SSLContext]) -> "RenewedContext":
        """An SSLContext is made of its protocol alone."""
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(self, contexts: Renewed[ssl.SSLContext]) -> None:
        self._contexts = contexts
        self._protocols: list[str] = []

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        """Which protocols are offered."""
        self._protocols = list(alpn_protocols)

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """Begin a connection over bytes in hand."""
        return self._newest().wrap_bio(incoming, outgoing, server_side, server_hostname, session)

    def wrap_socket(
        self,
        sock: socket.socket,
        server_side: bool = False,
        do_handshake_on_connect: bool = True,
        suppress_ragged_eofs: bool = True,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLSocket:
        """Begin a connection over a socket."""
        return self._newest().wrap_socket(
            sock, server_side, do_handshake_on_connect, suppress_ragged_eofs, server_hostname, session
        )

    def _newest(self) -> ssl.SSLContext:
        context = self._contexts.now()
        if self._protocols:
            context.set_alpn_protocols(self._protocols)
        return context


def tls_context(settings: Settings) -> ssl.SSLContext:
    """A verifying context, which takes up changes of the files that its certificates come from.

    Raises:
        OSError: ``AJO_CA_FILE`` can't be read, or holds no certificates.
    """
    return RenewedContext(Renewed("certificates", certificate_files(settings), lambda: _context(settings)))


def certificate_files(settings: Settings) -> list[Path]:
    """The files that trusted certificates come from: the system's (or SSL_CERT_FILE), and ``AJO_CA_FILE``."""
    own, system = settings.ca_file, ssl.get_default_verify_paths().cafile
    return [*([Path(system)] if system else []), *([own] if own is not None else [])]


def _context(settings: Settings) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if settings.ca_file is not None:
        try:
            check_regular(settings.ca_file)
            context.load_verify_locations(settings.ca_file)
        except OSError as fault:  # the text of Python's own doesn't name the file
            reason = "holds no certificates" if isinstance(fault, ssl.SSLError) else fault.strerror
            raise OSError(f"AJO_CA_FILE: {settings.ca_file}: {reason}") from None
    return context
