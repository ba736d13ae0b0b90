"""How numbers, times and names of the ledger read for people, on pages, in tables and in sentences."""

from datetime import UTC, datetime, tzinfo

UNKNOWN, UNEXPLAINED = "–", "unexplained"
NAMES = {
    "producer": "the producers",
    "broker": "the broker",
    "worker": "our workers",
    "adobe-api": "Adobe's API",
    "adobe-departure": "Adobe before departure",
    "downstream": "cloud and mailbox providers",
    "clocks": "clocks that disagree",
    "none": "nobody: on time",
    "not-yet-known": "not yet known",
}
"""Systems that attribution names, and its answers that name none."""

MINUTE, HOUR, DAY = 60, 3_600, 86_400
WHOLE_SECONDS = 100
"""From so many seconds, a column tells them to a tenth."""
FEW = 10
"""Below so many seconds, they are told to the millisecond."""
SHORT = 0.001


def system_name(name: str | None) -> str:
    """A system for people; one that is not known here goes by its own name, and what none is charged with by none."""
    return UNEXPLAINED if name is None else NAMES.get(name, name)


def seconds(value: float | None) -> str:
    """Seconds in a column: to the millisecond while they are few."""
    if value is None:
        return UNKNOWN
    return f"{value:z.3f}" if abs(value) < WHOLE_SECONDS else f"{value:,.1f}"


def duration(value: float | None) -> str:
    """A duration for people: ``0.045 s``, ``12.3 s``, ``4 min 10 s``, ``2 h 5 min``, ``3 d 4 h``."""
    if value is None:
        return UNKNOWN
    if value < 0:
        return f"−{duration(-value)}"
    if 0 < value < SHORT:
        return f"under {SHORT} s"
    if value < MINUTE:
        text = f"{value:.3f}" if value < FEW else f"{value:.1f}"
        return f"{text.rstrip('0').rstrip('.')} s"
    if value < HOUR:
        return _in_two_units(round(value), MINUTE, "min", "s")
    if value < DAY:
        return _in_two_units(round(value / MINUTE), HOUR // MINUTE, "h", "min")
    return _in_two_units(round(value / HOUR), DAY // HOUR, "d", "h")


def _in_two_units(small: int, per_big: int, big_name: str, small_name: str) -> str:
    big, rest = divmod(small, per_big)
    return f"{big:,} {big_name} {rest} {small_name}" if rest else f"{big:,} {big_name}"


def percent(part: float | None) -> str:
    """A part of the whole in a column."""
    return UNKNOWN if part is None else f"{part:z.1%}"


def share(part: float) -> str:
    """A part of the whole in a sentence; neither all nor nothing is said of nearly all and nearly nothing."""
    if 0 < part < 0.001:  # noqa: PLR2004 - what one decimal can show
        return "under 0.1%"
    if 0.999 < part < 1:  # noqa: PLR2004 - as above
        return "over 99.9%"
    return f"{part:.1%}".replace(".0%", "%")


def perhaps(possible_duplicate: bool) -> str:
    """Whether a trigger may have been sent twice."""
    return "perhaps" if possible_duplicate else "no"


def clock(at: datetime, beside: datetime, zone: tzinfo = UTC) -> str:
    """A moment to the minute, in that zone; with its day unless it is that of the moment beside it."""
    at, beside = at.astimezone(zone), beside.astimezone(zone)
    return f"{at:%H:%M}" if at.date() == beside.date() else f"{at.day} {at:%b %H:%M}"


def instant(at: datetime | None, zone: tzinfo | None = None) -> str:
    """A moment to the second, in UTC; or in a zone that was named before, and isn't said again."""
    if at is None:
        return UNKNOWN
    return f"{at.astimezone(zone or UTC):%Y-%m-%d %H:%M:%S}{'' if zone else ' UTC'}"
