"""How ``ajo-dispatch status REQUEST_ID`` shows one trigger."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from ajo_worker.cli.printing import cell, make_table, print_whole
from ajo_worker.reports.value import CLOCKS
from ajo_worker.views.timeline import Timeline, TimelineEvent, is_in_flight
from ajo_worker.words import instant, percent, seconds, system_name


def show_timeline(found: Timeline, console: Console) -> None:
    """Print what is known of a trigger, what happened to it, and where its time went."""
    facts = Table("", Column(overflow="fold"), box=None, show_header=False, pad_edge=False)
    for fact, value in _facts(found):
        facts.add_row(cell(fact), cell(value))
    phases = _phases(found)
    for part in (facts, _events(found.events), phases):
        print_whole(console, part)
        console.print()
    for line in _remarks(found):
        console.print(line, markup=False)


def _facts(found: Timeline) -> Iterator[tuple[str, Any]]:
    trigger = found.trigger
    yield "request id", trigger["request_id"]
    yield "campaign", f"{trigger['campaign']} ({trigger['lane']} lane)"
    yield "state", _state(found)
    if trigger["execution_id"]:
        yield "execution id", trigger["execution_id"]
    yield "batch", trigger["batch_id"]
    yield "producer", trigger["producer"]
    if trigger["trace_id"]:
        yield "trace id", trigger["trace_id"]
    yield "recipients", trigger["recipients"]
    for digest in trigger["recipient_hashes"] or ():
        yield "recipient hash", digest
    causes = ", ".join(trigger["duplicate_causes"])
    yield "possible duplicate", f"yes: {causes}" if trigger["possible_duplicate"] else "no"
    if trigger["redeliveries"]:
        yield "taken over", f"{trigger['redeliveries']} times from a worker that died or stopped"
    if trigger["expires_at"]:
        yield "expires at", instant(trigger["expires_at"])
    yield "payload", "held" if trigger["payload_held"] else "not kept"


def _state(found: Timeline) -> str:
    trigger = found.trigger
    if trigger["state"] != "sending":
        return f"{trigger['state']}: {trigger['reason']}" if trigger["reason"] else str(trigger["state"])
    owner = f"its worker {trigger['owner_place'] or trigger['owner']} is {trigger['owner_status']}"
    under_way = is_in_flight(trigger, found.attempts)
    return f"sending: {'an attempt is under way' if under_way else 'before its next attempt'}; {owner}"


def _events(events: list[TimelineEvent]) -> Table:
    """All events; the date is told where it changes."""
    table = make_table("UTC", "After")
    table.columns[1].justify = "right"
    table.add_column("Event")
    table.add_column("", overflow="fold")
    day = None
    for event in events:
        at = event.at.astimezone(UTC)
        if at.date() != day:
            day = at.date()
            table.add_row(f"{day}", "", "", "")
        table.add_row(_clock(at), f"{seconds(event.elapsed_seconds)} s", cell(event.what), cell(event.detail))
    return table


def _clock(at: datetime) -> str:
    return f"{at:%H:%M:%S}.{at.microsecond // 1000:03}"


def _phases(found: Timeline) -> Table:
    total = found.delay["total_seconds"]
    table = make_table("Phase", "Seconds", "Share", numbers=2)
    table.add_column("Whose time", no_wrap=True)
    for after_end in (False, True):
        for phase in found.phases:
            if phase.after_end is after_end and phase.seconds != 0:
                part = phase.seconds / total if phase.seconds is not None and total is not None and total > 0 else None
                told = "" if after_end else percent(part)
                table.add_row(cell(phase.phase), seconds(phase.seconds), told, system_name(phase.system))
        if not after_end:
            table.add_row("total", seconds(total), percent(1.0 if total else None), "", style="bold")
    return table


def _remarks(found: Timeline) -> Iterator[str]:
    delay = found.delay
    charged = zip(delay["systems"], delay["system_seconds"], strict=True)
    guilty = ", ".join(f"{system_name(system)} {seconds(spent)} s" for system, spent in charged if system != CLOCKS)
    yield f"Delayed by: {guilty or system_name(delay['system'])}"
    if delay["total_seconds"] is None:
        yield "It has not come to its end: a phase that isn't over is unknown (–), or counts what is known so far."
    if delay["clock_skew"]:
        yield "Clock skew: what one machine's clock says contradicts another's."
