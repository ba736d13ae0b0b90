"""What needs somebody now, and how far everything else is from that: the views ``audit.alerts`` and its measures."""

from datetime import datetime

import asyncpg
from msgspec import Struct


class Alert(Struct, frozen=True):
    """One condition that holds. ``value`` and ``threshold`` have the unit that ledger.alert_thresholds names.

    ``count`` is how many it is about, where that is a matter of number, and ``floor`` how many these must be at least.
    """

    alert: str
    severity: str
    audience: str
    scope: str | None
    since: datetime | None
    value: float
    threshold: float
    summary: str
    count: int | None = None
    floor: int | None = None


class Alerts(Struct, frozen=True):
    """All that hold at one moment, pages first."""

    at: datetime
    alerts: list[Alert]


ALERTS = """
    SELECT alert, severity, audience, scope, since, value, threshold, summary, count, floor FROM audit.alerts
    ORDER BY severity, alert, scope
"""


async def alerts(connection: asyncpg.Connection) -> Alerts:
    """What needs somebody now."""
    at = await connection.fetchval("SELECT now()")
    return Alerts(at, [Alert(**row) for row in await connection.fetch(ALERTS)])
