"""The addresses of broker and database, as far as they can be read: of one that can't, nothing is ever shown or tried.

Its parts are not what they seem to be, so that a password might stand where a host or a database is expected.
"""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from pydantic import SecretStr

from ajo_worker.cli.redaction import HIDDEN, redacted
from ajo_worker.doctor.check import Check, failed, skipped
from ajo_worker.doctor.settings import Readable
from ajo_worker.settings_source import variable_of

FORMS: Mapping[str, Mapping[str, str]] = {
    "broker_url": dict.fromkeys(("amqp", "amqps"), "amqp://USER:PASSWORD@HOST:PORT/VHOST")
    | dict.fromkeys(("redis", "rediss"), "redis://USER:PASSWORD@HOST:PORT/NUMBER"),
    "database_url": dict.fromkeys(("postgresql", "postgres"), "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"),
}
"""By setting and scheme: what an address looks like."""


class Address(NamedTuple):
    """An address with its secrets, and what may be shown of it."""

    url: str
    shown: str

    @property
    def scheme(self) -> str:
        """Its scheme, in lower case."""
        return urlsplit(self.url).scheme

    def __repr__(self) -> str:
        """Without its secrets."""
        return f"Address({self.shown})"


def address_of(readable: Readable, setting: str, check: str) -> Address | Check:
    """The address that a setting holds; a check of this name that failed or was skipped if there is none to use."""
    if wrong := readable.wrong_of(setting):
        return skipped(check, f"{wrong[0]} can't be read: see settings")
    secret: SecretStr = getattr(readable.settings, setting)
    return read_address(setting, secret.get_secret_value(), check)


def read_address(setting: str, url: str, check: str) -> Address | Check:
    """The same of a setting's value. Pure."""
    shown, forms = redacted(url), FORMS[setting]
    if shown is None or shown == HIDDEN or urlsplit(url).scheme not in forms:
        return failed(
            check,
            f"{variable_of(setting)} holds no address that can be read",
            f"write it as {' or '.join(dict.fromkeys(forms.values()))}; "
            "in user and password percent-encode whatever is no letter or digit (/ is %2F)",
        )
    return Address(url, shown)
