"""TLS over bytes that are in hand: what goes out is encrypted, what came in is decrypted, and no socket is touched."""

import ssl

READ_BYTES = 65_536


class TlsLayer:
    """The client's side of one TLS connection."""

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self.closed = False

    def shake_hands(self) -> bool:
        """Go on with the handshake; True once it is done.

        Raises:
            ssl.SSLError: it failed; the certificate may be the reason.
        """
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def encrypt(self, data: bytes) -> None:
        """Put ``data`` into what is to go out."""
        self._tls.write(data)

    def to_send(self) -> bytes:
        """What is to go out, the handshake's part and TLS's own messages included."""
        return self._outgoing.read()

    def came(self, data: bytes) -> None:
        """Take what came in."""
        self._incoming.write(data)

    def decrypt(self) -> bytes:
        """What was meant for us in what came in; TLS's own messages, as session tickets, are not. ``closed`` is then
        whether the other side has said that it is done.

        Raises:
            ssl.SSLError: it was no TLS, or was tampered with.
        """
        data = b""
        try:
            while piece := self._tls.read(READ_BYTES):
                data += piece
            self.closed = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.closed = True
        return data
