"""The option --until of a hold: a moment, or how long from now."""

from datetime import UTC, datetime

from ajo_worker.cli.since import parse_duration


def parse_until(text: str, now: datetime) -> datetime:
    """The moment that ``2026-11-25T14:00`` (UTC, unless it says otherwise) or ``2h`` means, in UTC. Pure.

    Raises:
        ValueError: it is neither, or lies not ahead.
    """
    try:
        return now + parse_duration(text)
    except ValueError as no_duration:
        if text.strip()[:1].isdigit() and "-" in text:
            return _moment(text, now)
        raise ValueError(f"{no_duration}, or a time such as 2026-11-25T14:00 (UTC)") from None


def _moment(text: str, now: datetime) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError("must be a time such as 2026-11-25T14:00 (UTC), or a duration such as 2h") from None
    if moment <= now:
        raise ValueError(f"{moment:%Y-%m-%d %H:%M:%S} UTC is over: it is {now:%Y-%m-%d %H:%M:%S} UTC")
    return moment
