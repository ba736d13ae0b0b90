"""The option --since: how far back a report looks."""

import re
from datetime import timedelta

import typer

UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
DURATION = re.compile(r"(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?", re.ASCII)
LONGEST = timedelta(days=3650)


def parse_duration(text: str) -> timedelta:
    """A duration such as ``30s``, ``15m``, ``1h``, ``2d`` or ``1d12h``: whole numbers, the larger unit first. Pure.

    Raises:
        ValueError: it is no duration, nothing, or longer than ten years.
    """
    match = DURATION.fullmatch(text.strip().lower())
    if match is None or not any(match.groups()):
        raise ValueError("must be a duration such as 30s, 15m, 1h, 2d or 1d12h")
    numbers = (int(number or 0) for number in match.groups())
    duration = timedelta(seconds=sum(number * unit for number, unit in zip(numbers, UNITS.values(), strict=True)))
    if not timedelta() < duration <= LONGEST:
        raise ValueError(f"must be above 0 and at most {LONGEST.days}d")
    return duration


def read_since(text: str) -> timedelta:
    """What ``--since`` says.

    Raises:
        typer.BadParameter: as ``parse_duration``.
    """
    try:
        return parse_duration(text)
    except ValueError as bad:
        raise typer.BadParameter(str(bad), param_hint="--since") from None
