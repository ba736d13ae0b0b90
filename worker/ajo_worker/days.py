"""Days as people mean them: of the time zone in ``AJO_TIME_ZONE``, with its own midnight and changes of clocks."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

FIRST, LAST = date(1970, 1, 2), date(2199, 12, 30)
WORDS = {"today": 0, "yesterday": 1}
"""Days that have a name, and how many days ago they were."""


def read_zone(name: str) -> ZoneInfo:
    """A time zone by its IANA name, such as ``Europe/Berlin``.

    Raises:
        ValueError: there is none of that name, or this machine has no time zones.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be the IANA name of a time zone, such as UTC or Europe/Berlin") from None


def read_day(text: str, now: datetime, zone: ZoneInfo) -> date:
    """``today``, ``yesterday``, or a date such as 2026-11-25, of the zone. Pure.

    Raises:
        ValueError: it is none of these.
    """
    word = text.strip().lower()
    if word in WORDS:
        return now.astimezone(zone).date() - timedelta(days=WORDS[word])
    try:
        day = datetime.strptime(word, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        day = None
    if day is None or not FIRST <= day <= LAST:  # beyond these, a zone's midnight may be no time at all
        raise ValueError("must be today, yesterday, or a day such as 2026-11-25") from None
    return day


def bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The first instant of a day, and the first after it, in UTC. Pure.

    Where clocks change, a day has 23 or 25 hours. A midnight that comes twice begins its day the first time, as in
    ``audit.lateness``.
    """
    return _midnight(day, zone), _midnight(day + timedelta(days=1), zone)


def utc_days(day: date, zone: ZoneInfo) -> list[date]:
    """The days of UTC that a day has a part of: one or two. Pure."""
    begin, end = bounds(day, zone)
    first, last = begin.date(), (end - timedelta(microseconds=1)).date()
    return [first] if first == last else [first, last]


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
