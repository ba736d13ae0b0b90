"""How long ``Retry-After`` asks to wait (RFC 9110, 10.2.3), as it comes in practice. Pure, but for the clock."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST = 366 * 86_400.0
"""Seconds; whoever asks for more than a year means never."""
PLAUSIBLE = 600.0
"""Seconds. A wait beyond that, by the answer's own ``Date``, may say more of that clock; no budget waits for it."""
LATE = 60.0
"""Seconds by which a moment may be over when it is told."""

_SECONDS = re.compile(r"\"?\+?([0-9]+(?:\.[0-9]+)?)\"?\s*(?:s|secs?|seconds?)?", re.ASCII | re.IGNORECASE)
_DATE = re.compile(r"[A-Za-z]{3,9},? [^,]*?\bGMT\b")


def _wall() -> datetime:
    return datetime.now(UTC)


def retry_after(headers: Mapping[str, str], now: Callable[[], datetime] = _wall) -> float | None:
    """Seconds that an answer asks for: a number or a date; of several, the longest, for none may be broken.

    Nonsense gives None, a date in the past 0. Dates are seen from the answer's ``Date``, whatever our own clock says;
    unless that makes no sense of them (a clock that was never set, an answer from a cache), then from ``now``.
    """
    value = headers.get("retry-after", "").strip()[:1000]
    if not value:
        return None
    numbers = [_SECONDS.fullmatch(part.strip()) for part in re.split("[,;]", value)]
    if numbers[0] is not None:
        return min(max(float(found[1][:12]) for found in numbers if found), LONGEST)
    if (moment := _newest(value)) is None:
        return None
    here = now()
    by_date = (moment - (_moment(headers.get("date", "")) or here)).total_seconds()
    by_ours = (moment - here).total_seconds()
    trusted = -LATE <= by_date <= PLAUSIBLE or not 0.0 <= by_ours <= PLAUSIBLE
    return min(max(by_date if trusted else by_ours, 0.0), LONGEST)


def _newest(value: str) -> datetime | None:
    found = [_moment(one) for one in (*_DATE.findall(value), value)]
    return max((one for one in found if one is not None), default=None)


def _moment(value: str) -> datetime | None:
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = read(value.strip())
        except (ValueError, IndexError, TypeError, OverflowError):
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None
