"""Settings of an outbox, from ``AJO_OUTBOX_…`` variables; ``AJO_X_FILE`` names a file that holds AJO_X."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ajo_producers.contract.setting_rules import OUTBOX, OUTBOX_TABLE, Limits
from ajo_producers.outbox.table import check_table
from ajo_producers.publishing.environment import value_of
from ajo_producers.publishing.errors import SettingError

if TYPE_CHECKING:
    from ajo_producers.contract.sealing import Sealer

KEYS = "AJO_OUTBOX_KEYS"
_DRIVER = re.compile(r"postgres(?:ql)?(?:\+\w+)?://")


@dataclass(frozen=True)
class RelaySettings:
    """What a relay is told. ``keep``, ``poll`` and ``late`` are seconds; the URL may hold a password."""

    url: str = field(repr=False)
    table: str
    keep: float
    poll: float
    late: float


def read_table(env: Mapping[str, str]) -> str:
    """The outbox's table, by ``AJO_OUTBOX_TABLE``.

    Raises:
        SettingError: it can't be the name of a table.
    """
    table = value_of(env, "AJO_OUTBOX_TABLE") or OUTBOX_TABLE
    check_table(table)
    return table


def read_sealer(env: Mapping[str, str]) -> "Sealer | None":
    """What seals payloads, by ``AJO_OUTBOX_KEYS``; None without keys.

    Raises:
        SettingError: they are no keys, or the extra ``outbox`` is not installed.
    """
    return sealer_of(value_of(env, KEYS))


def sealer_of(keys: str | None) -> "Sealer | None":
    """What seals with the keys in a text, newest first; None without any.

    Raises:
        SettingError: as ``read_sealer``.
    """
    if not keys:
        return None
    try:
        from ajo_producers.contract.sealing import Sealer, WrongKeys  # noqa: PLC0415 - needs the extra
    except ModuleNotFoundError:
        raise SettingError(f"{KEYS} needs the package cryptography: install ajo-producers[outbox]") from None
    try:
        return Sealer.from_keys(keys, KEYS)
    except WrongKeys as wrong:
        text = str(wrong).replace("ajo-dispatch keys new", "ajo-dispatch outbox key")
        raise SettingError(f"{KEYS}: {text}") from None


def read_relay(env: Mapping[str, str]) -> RelaySettings:
    """The settings of a relay.

    Raises:
        SettingError: no database is named, or one of them can't be used.
    """
    url = value_of(env, "AJO_OUTBOX_URL")
    if not url:
        raise SettingError(
            "AJO_OUTBOX_URL is not set: set it to the database of the application that adds triggers, such as "
            "postgresql://USER:PASSWORD@HOST/DATABASE (or AJO_OUTBOX_URL_FILE to a file that holds it)"
        )
    if not _DRIVER.match(url):
        raise SettingError("AJO_OUTBOX_URL must be like postgresql://USER:PASSWORD@HOST/DATABASE")
    return RelaySettings(
        url=_DRIVER.sub("postgresql://", url, count=1),  # SQLAlchemy's name their driver
        table=read_table(env),
        **{name: _seconds(env, f"AJO_OUTBOX_{name.upper()}", limits) for name, limits in OUTBOX.items()},
    )


def _seconds(env: Mapping[str, str], name: str, limits: Limits) -> float:
    text = value_of(env, name)
    try:
        seconds = float(text) if text else limits.default
    except ValueError:
        raise SettingError(f"{name} must be a number of seconds") from None
    if not limits.least <= seconds <= limits.most:
        raise SettingError(f"{name} must be {limits.least:g} to {limits.most:,.0f} seconds")
    return seconds
