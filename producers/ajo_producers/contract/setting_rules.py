"""Rules of single settings that publishers and workers have in common: both sides read them here."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from ajo_producers.contract.trigger import MAX_TEXT, is_text

MAX_TIMEOUT = 86_400.0
QUEUE_PREFIX = re.compile(r"(?!amq\.)[A-Za-z0-9_.:-]{1,200}")
"""A queue's name has 255 bytes at most, and ``amq.`` is the broker's own (AMQP 0-9-1)."""


class Limits(NamedTuple):
    """A number's default, and what it may be at least and at most."""

    default: float
    least: float
    most: float


PUBLISH_TIMEOUT: float = 10
"""Seconds within which a broker must confirm."""
YEAR_SECONDS = 31_536_000
OUTBOX_TABLE = "ajo_outbox"
OUTBOX = {
    "keep": Limits(0, 0, YEAR_SECONDS),
    "poll": Limits(1, 0.05, YEAR_SECONDS),
    "late": Limits(60, 1, YEAR_SECONDS),
}
"""Seconds, by the field of a relay's settings."""


class EventsLimits(NamedTuple):
    """Defaults of the intake of events; ``…_seconds`` are seconds."""

    max_bytes: int = 1_000_000
    head_seconds: float = 10
    body_seconds: float = 15
    connections: int = 1000
    connections_by_address: int = 500
    pending: int = 2000


EVENTS = EventsLimits()


class SettingRule(NamedTuple):
    """What a value must be; ``text`` follows the name of the setting."""

    holds: Callable[[Any], bool]
    text: str


RULES = {
    "queue_prefix": SettingRule(
        lambda prefix: QUEUE_PREFIX.fullmatch(prefix) is not None,
        "must be 1 to 200 letters, digits and _ . : -, and not begin with amq.",
    ),
    "publish_timeout": SettingRule(
        lambda seconds: 0 < seconds <= MAX_TIMEOUT, f"must be above 0 and at most {MAX_TIMEOUT:,.0f} seconds"
    ),
    "producer": SettingRule(lambda name: name is None or is_text(name), f"must be text of 1 to {MAX_TEXT} characters"),
}
"""By the field of the settings."""
