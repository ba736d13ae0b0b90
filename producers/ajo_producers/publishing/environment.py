"""The publisher's settings, from ``AJO_…`` variables; ``AJO_X_FILE`` names a file that holds AJO_X."""

from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from ajo_producers.contract.lanes import DEFAULT_QUEUE_PREFIX
from ajo_producers.publishing.errors import SettingError

DEFAULT_URL = "amqp://guest:guest@127.0.0.1:5672//"
DEFAULT_TIMEOUT = 10.0
SCHEMES = ("amqp", "amqps", "redis", "rediss")


class PublisherSettings(NamedTuple):
    """Where to publish; ``timeout`` is in seconds. The URL may hold a password: never show this."""

    url: str
    queue_prefix: str
    timeout: float
    producer: str | None

    def __repr__(self) -> str:
        """Without the URL."""
        return f"PublisherSettings({self.queue_prefix})"


def read_settings(env: Mapping[str, str]) -> PublisherSettings:
    """The settings that an environment holds.

    Raises:
        SettingError: a file can't be read, or the time-out is no number above 0.
    """
    timeout = _value(env, "AJO_PUBLISH_TIMEOUT")
    return PublisherSettings(
        url=_value(env, "AJO_BROKER_URL") or DEFAULT_URL,
        queue_prefix=_value(env, "AJO_QUEUE_PREFIX") or DEFAULT_QUEUE_PREFIX,
        timeout=_seconds(timeout) if timeout else DEFAULT_TIMEOUT,
        producer=_value(env, "AJO_PRODUCER") or None,
    )


def address_of(url: str) -> str:
    """The broker's address as it may be shown: without user, password and query.

    Raises:
        SettingError: no URL of a broker that is supported.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise SettingError("the broker's URL can't be read; does the password need percent-encoding?") from error
    if parts.scheme not in SCHEMES or not host:
        raise SettingError(f"the broker's URL must be SCHEME://HOST…, with one of {', '.join(SCHEMES)}")
    if parts.query or parts.fragment:
        raise SettingError("the broker's URL must have no query: TLS is always verified, with SSL_CERT_FILE if set")
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}{parts.path}"


def _value(env: Mapping[str, str], name: str) -> str:
    if value := env.get(name, "").strip():
        return value
    file = env.get(f"{name}_FILE")
    if not file:
        return ""
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{name}_FILE: {file} can't be read") from error


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not (isfinite(seconds) and seconds > 0):
        raise SettingError("AJO_PUBLISH_TIMEOUT must be a number of seconds above 0")
    return seconds
