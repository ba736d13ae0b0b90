"""TLS as every connection to Adobe uses it: verified, with the system's certificates and perhaps one more file."""

import ssl

from ajo_worker.settings import Settings


def tls_context(settings: Settings) -> ssl.SSLContext:
    """A verifying context.

    Raises:
        OSError: ``AJO_CA_FILE`` can't be read, or holds no certificates.
    """
    context = ssl.create_default_context()
    if settings.ca_file is not None:
        try:
            context.load_verify_locations(settings.ca_file)
        except OSError as fault:  # the text of Python's own doesn't name the file
            reason = "holds no certificates" if isinstance(fault, ssl.SSLError) else fault.strerror
            raise OSError(f"AJO_CA_FILE: {settings.ca_file}: {reason}") from None
    return context
