"""Rules of single settings that publishers and workers have in common: both sides read them here."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from ajo_producers.contract.trigger import MAX_TEXT, is_text

MAX_TIMEOUT = 86_400.0
QUEUE_PREFIX = re.compile(r"(?!amq\.)[A-Za-z0-9_.:-]{1,200}")
"""A queue's name has 255 bytes at most, and ``amq.`` is the broker's own (AMQP 0-9-1)."""


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
