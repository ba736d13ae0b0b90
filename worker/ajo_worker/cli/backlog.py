"""How it is shown what is slowed, and how much waits."""

from collections.abc import Iterator
from datetime import datetime

from ajo_producers.contract.counted import counted
from rich.table import Table

from ajo_worker.cli.printing import cell, make_table
from ajo_worker.views.backlog import Backlog, SlowRate
from ajo_worker.words import UNKNOWN, duration, instant

SMALL = 0.01
"""Below this share, whole percents say too little."""
FEW = 10
"""Below so many calls a second, tenths matter."""


def backlog_parts(found: Backlog) -> Iterator[Table | str]:
    """What is slowed, then what waits."""
    if found.slow_rates:
        yield _slow_rates(found)
    if rows := list(_rows(found)):
        table = make_table("Waiting now", "In the broker", "With workers", "Parked", "A minute ago", numbers=4)
        for row in rows:
            table.add_row(*map(cell, row))
        yield table
    if not found.fresh:
        yield _unseen(found)
    elif not rows:
        # Only these are known to be empty: what is kept back may just be on its way back there.
        empty = f"the queues were empty {_ago(found.at, max(one.looked_at for one in found.queues))}."
        yield empty.capitalize() if found.slow_rates else f"Nothing waits; {empty}"


def because(slow: SlowRate, now: datetime) -> str:
    """Why a rate is slowed, in a few words. Pure."""
    match slow.cause:
        case "throttle":
            newest = f", the last {_ago(now, slow.newest_at)}" if slow.newest_at else ""
            return f"Adobe answers 429{newest}"
        case "ramp":
            return "it comes back after an outage" if slow.reason != "held" else "it comes back after a hold"
        case "silence":
            return "nothing is answered"
        case "held":
            return f"an operator holds it{f' until {instant(slow.until)}' if slow.until else ''}"
    return f"outage: {slow.reason}"


def left_of(slow: SlowRate) -> str:
    """What is left of a rate. Pure."""
    if slow.cause in ("outage", "held"):
        # For want of a token nothing is probed: each worker asks for one by itself.
        return "nothing" if slow.cause == "held" or slow.scope.startswith("token:") else "probes"
    if slow.share is None or slow.calls_per_second is None or slow.rate_limit is None:
        return "one new call a second" if slow.cause == "silence" else UNKNOWN
    share = f"{slow.share:.0%}" if slow.share >= SMALL else "below 1%"
    return f"{share}: {_rate(slow.calls_per_second)} of {_rate(slow.rate_limit)} calls/s"


def _slow_rates(found: Backlog) -> Table:
    table = make_table("Slowed or kept back", "Since", "For", "Left of its rate", "Because")
    for slow in found.slow_rates:
        lasts = duration(round((found.at - slow.since).total_seconds()))
        row = (slow.campaign or slow.scope, instant(slow.since), lasts, left_of(slow), because(slow, found.at))
        table.add_row(*map(cell, row))
    return table


def _rows(found: Backlog) -> Iterator[tuple[str, str, str, str, str]]:
    for one in found.queues:
        if one.messages or one.unopened or one.minute_ago:
            name = one.queue if one.workers != 0 else f"{one.queue} (no worker consumes it)"
            before = UNKNOWN if one.minute_ago is None else counted(one.minute_ago, "message")
            yield name, counted(one.messages, "message"), _some(one.unopened, "message"), "", before
    for campaign in found.waiting:
        waiting, parked = _some(campaign.waiting, "trigger"), _some(campaign.parked, "trigger")
        # What no worker ever had a definition of has no lane either.
        known = campaign.lane != "(unknown)"
        name = f"{campaign.campaign} ({campaign.lane})" if known else "campaigns without a definition"
        yield name, "", waiting, parked, ""


def _some(number: int, word: str) -> str:
    return counted(number, word) if number else ""


def _unseen(found: Backlog) -> str:
    seen = max((one.looked_at for one in found.queues), default=None)
    last = f"for {duration((found.at - seen).total_seconds())}" if seen else "so far"
    why = f"; {found.unseen}" if found.unseen else ""
    return f"No worker has looked into the broker {last}{why}: how much waits there now is not known."


def _rate(calls: float) -> str:
    return f"{calls:,.0f}" if calls >= FEW or calls == int(calls) else f"{calls:,.1f}"


def _ago(now: datetime, at: datetime) -> str:
    seconds = max((now - at).total_seconds(), 0.0)
    return f"{duration(round(seconds))} ago" if seconds >= 1 else "just now"
