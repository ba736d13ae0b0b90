"""The database's address, as far as it can be read: of one that can't, nothing is ever shown or tried.

Its parts are not what they seem to be, so that a password might stand where a host or a database is expected.
"""

from typing import NamedTuple
from urllib.parse import urlsplit

from ajo_worker.doctor.check import Check, failed
from ajo_worker.doctor.settings import Readable, unread
from ajo_worker.ledger.hosts import FORM, SCHEMES
from ajo_worker.settings.redaction import HIDDEN, redacted


class DatabaseAddress(NamedTuple):
    """An address with its secrets, and what may be shown of it."""

    url: str
    shown: str

    def __repr__(self) -> str:
        """Without its secrets."""
        return f"DatabaseAddress({self.shown})"


def address_of(readable: Readable, check: str) -> DatabaseAddress | Check:
    """The address; a check of this name that failed or was skipped if there is none to use."""
    if wrong := readable.wrong_of("database_url"):
        return unread(check, wrong)
    return read_address(readable.settings.database_url.get_secret_value(), check)


def read_address(url: str, check: str) -> DatabaseAddress | Check:
    """The same of the setting's value. Pure."""
    shown = redacted(url)
    if shown is None or shown == HIDDEN or urlsplit(url).scheme not in SCHEMES:
        return failed(
            check,
            "AJO_DATABASE_URL holds no address that can be read",
            f"write it as {FORM}; in user and password percent-encode whatever is no letter or digit (/ is %2F)",
        )
    return DatabaseAddress(url, shown)
