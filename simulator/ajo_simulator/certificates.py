"""The certificate of a simulator that serves HTTPS: made for each run, valid or with a flaw."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, TypeAlias

import trustme

Certificate: TypeAlias = Literal["valid", "expired", "wrong-host"]
WRONG_HOST = "elsewhere.example.com"


def server_context(
    host: str, certificate: Certificate = "valid", ca_out: Path | None = None, authority_file: Path | None = None
) -> ssl.SSLContext:
    """A context that serves ``host`` and localhost; ``ca_out`` gets the certificate to trust.

    ``authority_file`` keeps the authority with its key, so that whoever trusts it trusts a later run as well.

    Raises:
        OSError: ``ca_out`` can't be written, or ``authority_file`` neither read nor written.
        ValueError: ``authority_file`` holds no authority.
    """
    authority, at = _authority(authority_file), datetime.now(UTC)
    names = [WRONG_HOST] if certificate == "wrong-host" else [host, "localhost"]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(
        *names,
        not_before=at - timedelta(days=30),
        not_after=at + timedelta(days=-1 if certificate == "expired" else 30),
    ).configure_cert(context)
    if ca_out is not None:
        authority.cert_pem.write_to_path(str(ca_out))
    return context


def _authority(file: Path | None) -> trustme.CA:
    if file is not None and file.exists():
        if not file.is_file():
            raise ValueError("a device or a pipe may have no end")
        content = file.read_bytes()
        return trustme.CA.from_pem(content, content)
    authority = trustme.CA()
    if file is not None:
        file.touch(mode=0o600)
        file.write_bytes(authority.cert_pem.bytes() + authority.private_key_pem.bytes())
    return authority
