"""Rules that settings keep, alone and between them: read by the model, ``ajo-dispatch settings`` and the doctor."""

from collections.abc import Callable
from ipaddress import ip_address
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlsplit

from ajo_producers.contract.setting_rules import RULES
from pydantic import Field, ValidationInfo

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Rule(NamedTuple):
    """A rule that lies between settings: ``holds`` asks what has them all."""

    fields: tuple[str, ...]
    holds: Callable[[Any], bool]
    text: str


BETWEEN = (
    Rule(
        ("owner_timeout", "heartbeat_seconds"),
        lambda given: given.owner_timeout >= 3 * given.heartbeat_seconds,
        "AJO_OWNER_TIMEOUT must be at least three times AJO_HEARTBEAT_SECONDS",
    ),
    Rule(
        ("retention_days", "dead_letter_days", "close_days"),
        lambda given: given.retention_days > max(given.dead_letter_days, given.close_days),
        "AJO_RETENTION_DAYS must be above AJO_DEAD_LETTER_DAYS and AJO_CLOSE_DAYS",
    ),
)


def kept(value: object, info: ValidationInfo) -> object:
    """A value, without blanks around, that keeps the rule which publishers have too; as pydantic asks for it.

    Raises:
        ValueError: it doesn't.
    """
    rule, value = RULES[info.field_name or ""], value.strip() if isinstance(value, str) else value
    if not rule.holds(value):
        raise ValueError(rule.text)
    return value


def is_safe_url(url: str) -> bool:
    """Whether credentials may travel to ``url``: HTTPS, or plain HTTP to this machine itself."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # read only now, and refused if it is no number
    except ValueError:  # its text may quote the URL
        return False
    if not parts.hostname or parts.username is not None or parts.query or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
