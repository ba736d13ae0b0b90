"""The publisher's settings, from ``AJO_…`` variables; ``AJO_X_FILE`` names a file that holds AJO_X.

What breaks every message is refused here, and not by the worker: by then it would be confirmed.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ajo_producers.contract.broker import DEFAULT_URL, BrokerAddress, BrokerError, read_broker
from ajo_producers.contract.lanes import DEFAULT_QUEUE_PREFIX
from ajo_producers.contract.trigger import MAX_TEXT, is_text
from ajo_producers.publishing.errors import SettingError

DEFAULT_TIMEOUT = 10.0
MAX_TIMEOUT = 86_400.0
QUEUE_PREFIX = re.compile(r"(?!amq\.)[A-Za-z0-9_.:-]{1,200}")
"""A queue's name has 255 bytes at most, and ``amq.`` is the broker's own (AMQP 0-9-1)."""


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
        SettingError: a file can't be read, or the time-out is no number.
    """
    timeout = _value(env, "AJO_PUBLISH_TIMEOUT")
    return PublisherSettings(
        url=_value(env, "AJO_BROKER_URL") or DEFAULT_URL,
        queue_prefix=_value(env, "AJO_QUEUE_PREFIX") or DEFAULT_QUEUE_PREFIX,
        timeout=_seconds(timeout) if timeout else DEFAULT_TIMEOUT,
        producer=_value(env, "AJO_PRODUCER") or None,
    )


def check_settings(*, queue_prefix: str, timeout: float, producer: str | None) -> None:
    """Refuse what no message could be published with, or read.

    Raises:
        SettingError: naming the setting.
    """
    if not QUEUE_PREFIX.fullmatch(queue_prefix):
        raise SettingError("the queue prefix must be 1 to 200 letters, digits and _ . : -, and not begin with amq.")
    if not 0 < timeout <= MAX_TIMEOUT:
        raise SettingError(f"the publisher's time-out must be above 0 and at most {MAX_TIMEOUT:,.0f} seconds")
    if producer is not None and not is_text(producer):
        raise SettingError(f"the producer's name must be text of 1 to {MAX_TEXT} characters")


def broker_of(url: str) -> BrokerAddress:
    """The broker that a URL leads to.

    Raises:
        SettingError: none that can be used.
    """
    try:
        return read_broker(url)
    except BrokerError as reason:
        raise SettingError(f"the broker's URL {reason}") from None


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
        return float(text)
    except ValueError:
        raise SettingError("AJO_PUBLISH_TIMEOUT must be a number of seconds") from None
