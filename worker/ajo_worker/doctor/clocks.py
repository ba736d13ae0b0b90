"""The clocks of this machine, of the database, and of the endpoints. Pure."""

from collections.abc import Iterable, Sequence
from email.utils import parsedate_to_datetime
from itertools import combinations
from typing import NamedTuple

from ajo_worker.doctor.check import Check, failed, ok, skipped, warning

CLOCKS = "clocks"
WARNED, FAILED = 1.0, 30.0
"""Seconds apart."""
TICK = 1.0
"""Seconds in which a ``Date`` header stays the same."""


class Offset(NamedTuple):
    """How many seconds a clock is ahead of this machine's, give or take ``uncertainty``."""

    whose: str
    seconds: float
    uncertainty: float


THIS_MACHINE = Offset("this machine", 0.0, 0.0)


def offset_of_answer(whose: str, at: float, asked: float, answered: float) -> Offset:
    """From a time that was told between two instants of this machine's clock; all in seconds since 1970."""
    return Offset(whose, at - (asked + answered) / 2, (answered - asked) / 2)


def offset_of_date(whose: str, date: str | None, asked: float, answered: float) -> Offset | None:
    """From a ``Date`` header (RFC 9110, 6.6.1), which leaves fractions of a second out; None if there is none."""
    try:
        at = parsedate_to_datetime(date or "").timestamp()
    except ValueError:
        return None
    offset = offset_of_answer(whose, at + TICK / 2, asked, answered)
    return offset._replace(uncertainty=offset.uncertainty + TICK / 2)


def judge_clocks(offsets: Iterable[Offset]) -> Check:
    """Whether any two clocks are surely apart by more than they may be."""
    others = list(offsets)
    if not others:
        return skipped(CLOCKS, "no other clock could be read")
    apart, one, other = max(_gaps([THIS_MACHINE, *others]))
    found = "against this machine: " + ", ".join(f"{offset.whose} {_shown(offset)}" for offset in others)
    if apart <= WARNED:
        return ok(CLOCKS, found)
    judged = failed if apart > FAILED else warning
    advice = f"{one} and {other} are {apart:,.1f} s apart or more: synchronize both (NTP), delays are told from them"
    return judged(CLOCKS, found, advice)


def _gaps(offsets: Sequence[Offset]) -> Iterable[tuple[float, str, str]]:
    for one, other in combinations(offsets, 2):
        apart = abs(one.seconds - other.seconds) - one.uncertainty - other.uncertainty
        yield max(apart, 0.0), one.whose, other.whose


def _shown(offset: Offset) -> str:
    return f"{offset.seconds:+z,.3f} s (±{offset.uncertainty:.3f})"
