"""Whose certificates the processes of a test run trust by default: those of an authority whose key nobody has.

Each TLS context reads the system's 150 authorities, for 40 ms of CPU; each worker makes several, and so does each
client of HTTP. What a test is to trust it says itself.
"""

import os
from pathlib import Path

AUTHORITY = str(Path(__file__).with_name("nobody.pem"))
NAME, BEFORE = "SSL_CERT_FILE", "TRUSTED_BEFORE_THE_TESTS"


def trust_nobody() -> None:
    """Trust nobody but who is named, and remember who was; the processes of pytest-xdist inherit both."""
    if os.environ.get(NAME) != AUTHORITY:
        os.environ[BEFORE] = os.environ.get(NAME, "")
        os.environ[NAME] = AUTHORITY


def as_before() -> list[str]:
    """The words that tell ``env`` to trust whom this machine trusts, for a command that downloads."""
    before = os.environ.get(BEFORE, "")
    return [f"{NAME}={before}"] if before else ["-u", NAME]
