"""The publisher's settings, from ``AJO_…`` variables; ``AJO_X_FILE`` names a file that holds AJO_X.

What breaks every message is refused here, and not by the worker: by then it would be confirmed.
"""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from ajo_producers.campaigns.definition import BeforeStart
from ajo_producers.campaigns.rules import ALLOWED_HOSTS
from ajo_producers.contract.broker import BrokerAddress, BrokerError, read_broker
from ajo_producers.contract.lanes import DEFAULT_QUEUE_PREFIX
from ajo_producers.contract.reading import read_text
from ajo_producers.contract.setting_rules import PUBLISH_TIMEOUT, RULES
from ajo_producers.publishing.errors import SettingError

NAMES = {
    "queue_prefix": "the queue prefix",
    "publish_timeout": "the publisher's time-out",
    "producer": "the producer's name",
}
"""What settings are called here: they may come from the environment, or from a program."""


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
        SettingError: no broker is named, a file can't be read, or the time-out is no number.
    """
    timeout, url = value_of(env, "AJO_PUBLISH_TIMEOUT"), value_of(env, "AJO_BROKER_URL")
    if not url:
        raise SettingError(
            "AJO_BROKER_URL is not set: nothing is published to a broker that nobody named; set it to the workers' "
            "own, such as amqp://USER:PASSWORD@HOST/ or redis://HOST/0 (or AJO_BROKER_URL_FILE to a file that holds it)"
        )
    return PublisherSettings(
        url=url,
        queue_prefix=value_of(env, "AJO_QUEUE_PREFIX") or DEFAULT_QUEUE_PREFIX,
        timeout=_seconds(timeout) if timeout else PUBLISH_TIMEOUT,
        producer=value_of(env, "AJO_PRODUCER") or None,
    )


def read_before_start(env: Mapping[str, str]) -> BeforeStart:
    """What becomes of a trigger that comes before its campaign's start, by ``AJO_BEFORE_START``: the workers' setting.

    Raises:
        SettingError: it is neither ``wait`` nor ``refuse``.
    """
    match value_of(env, "AJO_BEFORE_START") or "refuse":
        case "wait" | "refuse" as before_start:
            return before_start
        case _:
            raise SettingError("AJO_BEFORE_START must be wait or refuse, as for the workers")


def read_allowed_hosts(env: Mapping[str, str]) -> tuple[str, ...] | None:
    """The hosts that definitions may name, by ``AJO_ALLOWED_HOSTS``; None if ``AJO_BASE_URL`` replaces all of them.

    Raises:
        SettingError: a file can't be read.
    """
    if value_of(env, "AJO_BASE_URL"):
        return None
    named = tuple(host.strip() for host in value_of(env, "AJO_ALLOWED_HOSTS").split(",") if host.strip())
    return named or ALLOWED_HOSTS


def check_settings(*, queue_prefix: str, timeout: float, producer: str | None) -> None:
    """Refuse what no message could be published with, or read.

    Raises:
        SettingError: naming the setting.
    """
    given = {"queue_prefix": queue_prefix, "publish_timeout": timeout, "producer": producer}
    for field, value in given.items():
        if not RULES[field].holds(value):
            raise SettingError(f"{NAMES[field]} {RULES[field].text}")


def broker_of(url: str) -> BrokerAddress:
    """The broker that a URL leads to.

    Raises:
        SettingError: none that can be used, or its client is not installed.
    """
    try:
        broker = read_broker(url)
    except BrokerError as reason:
        raise SettingError(f"the broker's URL {reason}") from None
    if broker.kind == "valkey" and find_spec("redis") is None:
        raise SettingError("Redis and Valkey take a package more: install ajo-producers[valkey]")
    return broker


def value_of(env: Mapping[str, str], name: str) -> str:
    """What a variable says, or the file that NAME_FILE names; empty if neither is set.

    Raises:
        SettingError: the file can't be read.
    """
    if value := env.get(name, "").strip():
        return value
    file = env.get(f"{name}_FILE")
    if not file:
        return ""
    try:
        return read_text(Path(file)).strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise SettingError(f"{name}_FILE: {file} can't be read: {reason}") from error


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise SettingError("AJO_PUBLISH_TIMEOUT must be a number of seconds") from None
