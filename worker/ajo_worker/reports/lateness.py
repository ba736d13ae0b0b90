"""Were messages late, since when, and whose fault was it: decided from the figures of a report."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from ajo_producers.contract.counted import counted
from msgspec import Struct

from ajo_worker.reports.value import CLOCKS, NOT_YET_KNOWN, ON_TIME, Counts, LateSpan, Report, SystemRow
from ajo_worker.words import clock, share, system_name

LATE_SHARE = 0.01
"""A minute belongs to a late span if at least this share of its triggers became late."""
GAP = timedelta(minutes=5)
"""So many minutes without a late one don't end a span."""
MINUTE = timedelta(minutes=1)
NOTHING = "No trigger was received."
MOSTLY = 0.8
"""A system with this share of all delay is named alone."""


class Minute(Struct, frozen=True):
    """One minute's triggers, and how many of them became late."""

    at: datetime
    triggers: int
    late: int


def late_spans(minutes: Iterable[Minute]) -> list[LateSpan]:
    """The spans of minutes in which at least one trigger in a hundred became late, in their order. Pure."""
    spans: list[LateSpan] = []
    for minute in sorted(minutes, key=lambda one: one.at):
        if minute.late == 0 or minute.late < LATE_SHARE * minute.triggers:
            continue
        now = LateSpan(minute.at, minute.at + MINUTE, minute.triggers, minute.late)
        if spans and now.since - spans[-1].until < GAP:
            last = spans.pop()
            now = LateSpan(last.since, now.until, last.triggers + now.triggers, last.late + now.late)
        spans.append(now)
    return spans


def guilty(systems: Iterable[SystemRow]) -> list[SystemRow]:
    """The systems that delayed triggers, the one with most seconds first. Pure."""
    named = [row for row in systems if row.system not in {ON_TIME, NOT_YET_KNOWN, CLOCKS} and row.seconds > 0]
    return sorted(named, key=lambda row: -row.seconds)


def headline(report: Report) -> str:
    """The answer, and of which day of which time zone, if it is of one. Pure."""
    return answer(report) if report.day is None else f"{report.day} ({report.time_zone}). {answer(report)}"


def answer(report: Report) -> str:
    """One sentence: were messages late, since when, whose fault. Pure."""
    counts = report.counts
    if not counts.triggers:
        return "Not known: what was received could not be rolled up." if report.failed_minutes else NOTHING
    if not counts.late:
        if not counts.not_yet_known:
            return f"No: {_every(counts.triggers)} on time."
        known = counts.triggers - counts.not_yet_known
        return f"Nothing is known to be late: {known:,} of {counts.triggers:,} were on time, the rest is not yet known."
    begin = "Yes" if counts.late >= LATE_SHARE * counts.triggers else "Hardly"
    many = f"{counts.late:,} of {counts.triggers:,} triggers ({share(counts.late / counts.triggers)})"
    was = "was" if counts.late == 1 else "were"
    return f"{begin}: {many} {was} late{_when(report)}{_whose(report)}."


def _every(triggers: int) -> str:
    return "the only trigger was" if triggers == 1 else f"all {triggers:,} triggers were"


def _when(report: Report) -> str:
    spans, zone = report.late_spans, report.zone
    if not spans:
        return ", at no time many of them"
    lasts = spans[-1].until > report.until - GAP  # a while without any triggers ends it too
    first = clock(spans[0].since, report.until, zone)
    if len(spans) == 1:
        begin = (
            f"since {first} {zone} and still so"
            if lasts
            else f"from {first} to {clock(spans[0].until, spans[0].since, zone)} {zone}"
        )
        return f", {begin}"
    worst = max(spans, key=lambda span: span.late)
    many = f"in {len(spans)} spells since {first} {zone}{', one of them lasting' if lasts else ''}"
    end = clock(worst.until, worst.since, zone)
    return f", {many}, the worst from {clock(worst.since, spans[0].since, zone)} to {end}"


def _whose(report: Report) -> str:
    found = guilty(report.systems)
    every = sum(row.seconds for row in found)
    if not found:
        return ""
    first = found[0]
    if len(found) == 1:
        return f"; all of their delay is charged to {system_name(first.system)}"
    told = f"; {share(first.seconds / every)} of their delay is charged to {system_name(first.system)}"
    if first.seconds < MOSTLY * every:
        told += f" and {share(found[1].seconds / every)} to {system_name(found[1].system)}"
    return told


def _not_reported(counts: Counts) -> dict[str, int]:
    departed, delivered, failed = counts.departed, counts.delivered, counts.failed
    if departed is None or delivered is None or failed is None:
        nothing = "{} accepted, and no feedback of any: whether they departed, and were delivered, is not known."
        return {nothing: counts.accepted}
    return {
        "{} accepted without a report that they departed from Journey Optimizer.": counts.accepted - departed,
        "{} departed without a report of their delivery or failure.": departed - delivered - failed,
    }


def unknowns(report: Report) -> list[str]:
    """What nobody can say yet, a line for each. Pure."""
    counts = report.counts
    lines = {
        "{} whose fault is not yet known: nothing was late so far, and the end of the way was not reported.": (
            counts.not_yet_known
        ),
        "{} under way.": counts.sending,
        "{} parked, to go on in another round.": counts.parked,
        "{} unconfirmed: perhaps accepted, although no answer said so.": counts.unconfirmed,
        **_not_reported(counts),
    }
    told = [line.format(counted(number, "trigger")) for line, number in lines.items() if number > 0]
    if report.counts.triggers and report.computed_until is not None and report.computed_until < report.until - MINUTE:
        until = clock(report.computed_until, report.until, report.zone)
        told.append(f"Whatever was received after {until} {report.time_zone}: not yet rolled up.")
    if report.failed_minutes:
        minutes = counted(report.failed_minutes, "minute")
        told.append(f"Whatever was received in {minutes} that couldn't be rolled up (alert rollup-failing).")
    return told
