"""The files of certificates that an address of PostgreSQL names, looked at before its driver reads them.

asyncpg opens them on the loop's own thread, so a pipe would stop a worker's heart; and what it says of one that is
missing or empty names neither file nor parameter.
"""

import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from ajo_producers.contract.reading import check_regular

MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
"""From none to all of TLS, as libpq names them."""
OWN = {"sslcert": ("PGSSLCERT", "postgresql.crt"), "sslkey": ("PGSSLKEY", "postgresql.key")}
THEIRS = {"sslrootcert": ("PGSSLROOTCERT", "root.crt"), "sslcrl": ("PGSSLCRL", "root.crl")}
"""By parameter: libpq's variable, and the file's name in ``~/.postgresql``."""


class BadTlsFile(OSError):  # noqa: N818 - says what it found
    """One of them can't be used; ``strerror`` says which parameter, which file, and why."""

    def __init__(self, text: str) -> None:
        super().__init__(None, text)

    def __str__(self) -> str:
        """What is wrong, and what to do."""
        return str(self.strerror)


def check_tls_files(url: str, environment: Mapping[str, str]) -> None:
    """Look at the files that ``url``, libpq's variables or its folder name, as far as a connection needs them.

    Raises:
        BadTlsFile: one is missing, is a device or a pipe, or holds no certificates; or there is no such mode.
    """
    try:
        parts = urlsplit(url)
        query = parse_qs(parts.query)
    except ValueError:  # whoever connects says what is wrong with it
        return
    if "@" in parts.query or "#" in url:  # a password that is not percent-encoded, as well
        return
    named = {name: values[-1] for name, values in query.items()}
    is_socket = not parts.hostname and named.get("host", "").startswith("/")
    mode = named.get("sslmode") or environment.get("PGSSLMODE") or ("disable" if is_socket else "prefer")
    if mode not in MODES:
        raise BadTlsFile(f"sslmode must be one of {', '.join(MODES)}")
    if mode == "disable":
        return
    for parameter in OWN:
        _check(parameter, named, environment)
    if MODES.index(mode) < MODES.index("require"):
        return
    found = [_check(parameter, named, environment) for parameter in THEIRS]
    if mode.startswith("verify") and found[0] is None:
        raise BadTlsFile(f"sslmode={mode} needs to know whom to trust: name a file of certificates as sslrootcert")


def _check(parameter: str, named: Mapping[str, str], environment: Mapping[str, str]) -> Path | None:
    """The file of this parameter, which may be read; None if there is none."""
    variable, default = {**OWN, **THEIRS}[parameter]
    told = named.get(parameter) or environment.get(variable) or None
    file = Path(told) if told else _in_home(default)
    try:
        if told is None and not file.exists():
            return None
        check_regular(file)
        if parameter in THEIRS:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
        else:
            file.open("rb").close()
    except OSError as fault:
        reason = "holds no certificates" if isinstance(fault, ssl.SSLError) else fault.strerror
        raise BadTlsFile(f"{parameter}: {file}: {reason}") from None
    return file


def _in_home(name: str) -> Path:
    try:
        return Path.home() / ".postgresql" / name
    except RuntimeError:  # there is no home
        return Path("/nonexistent")
