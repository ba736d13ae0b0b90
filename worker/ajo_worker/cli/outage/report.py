"""How outages are printed."""

from ajo_producers.contract.counted import counted
from msgspec import Struct
from rich.console import Console

from ajo_worker.cli.backlog import backlog_parts
from ajo_worker.cli.printing import cell, make_table, print_part, print_whole
from ajo_worker.outages.history import Detail, Outage, WithoutToken, WithWorkers
from ajo_worker.outages.runbook import RunbookStep
from ajo_worker.views.backlog import Backlog
from ajo_worker.words import instant


class Shown(Struct, frozen=True):
    """One outage as it is shown; ``queued`` counts messages in the broker, None where it isn't known, or of no lane."""

    detail: Detail
    queued: int | None
    queued_unknown: str | None
    runbook: list[RunbookStep]


class Listed(Struct, frozen=True):
    """The outages of a while; and what is slowed, or waits, now."""

    outages: list[Outage]
    backlog: Backlog


def show_list(listed: Listed, since: str, console: Console) -> None:
    """Print what is slowed and what waits, and a line for each outage."""
    found = listed.outages
    for part in backlog_parts(listed.backlog):
        print_part(console, part)
        console.print()
    if not found:
        console.print(f"No outage lasts, and none began in the last {since}.", markup=False)
        return
    table = make_table("Outage", "Scope", "Reason", "State", "Opened", "Ended", "Probes", numbers=1)
    for one in found:
        row = (one.outage_id, one.scope, one.reason, state_of(one), instant(one.opened_at), _end_of(one))
        table.add_row(*map(cell, row), f"{one.probes:,}")
    print_whole(console, table)


def _end_of(outage: Outage) -> str:
    if outage.ended_at is not None:
        return instant(outage.ended_at)
    return f"lasts until {instant(outage.held_until)}" if outage.held_until else "lasts"


def state_of(outage: Outage) -> str:
    """What becomes of its triggers now."""
    return outage.state if outage.ended_at is None or outage.state == "recovering" else "over"  # type: ignore[return-value] # one that lasts has a circuit


def show_one(shown: Shown, console: Console) -> None:
    """Print all that is known of one outage, and what to do."""
    detail = shown.detail
    outage = detail.outage
    console.print(f"Outage {outage.outage_id}: {outage.scope} is {state_of(outage)}, {outage.reason}", markup=False)
    facts = make_table("", "")
    facts.show_header = False
    seen = ", ".join(f"{name} {_plain(value)}" for name, value in outage.evidence.items())
    rows = {
        "since": f"{instant(outage.opened_at)}, by {outage.opened_by}",
        "seen": seen or None,
        "ended": f"{instant(outage.ended_at)}, by {outage.ended_by}" if outage.ended_at else f"it {_end_of(outage)}",
        "next probe": instant(outage.probe_at) if outage.probe_at else None,
        "without a token": "; ".join(map(_failing, detail.without_token)) or None,
        "parked": ", ".join(f"{p.triggers:,} {p.campaign}" for p in detail.parked) or "nothing",
        "with workers": _in_hand(detail.with_workers) if state_of(outage) != "over" else None,
        "in the broker": shown.queued_unknown
        or (counted(shown.queued, "message") if shown.queued is not None else None),
    }
    for name, value in rows.items():
        if value is not None:
            facts.add_row(cell(name), cell(value))
    print_whole(console, facts)
    _show_answers(detail, console)
    if outage.ended_at is None:
        console.print("\nWhat to do:", markup=False)
        for number, step in enumerate(shown.runbook, start=1):
            console.print(f"{number}. {step.text}", markup=False, soft_wrap=True)
            console.print(f"   {step.checked or 'not checked by the system'}", markup=False, soft_wrap=True)


def _show_answers(detail: Detail, console: Console) -> None:
    if detail.probes:
        table = make_table("Probe", "Found, and by which trigger")
        for one in detail.probes:
            table.add_row(cell(instant(one.probed_at)), cell(one.found))
            table.add_row("", cell(one.request_id))
        console.print()
        print_whole(console, table)
    if detail.answers:
        table = make_table("Last answers", "Campaign", "Answer, and Adobe's request id")
        for answer in detail.answers:
            status = answer.http_status or answer.failure
            told = " ".join(str(part) for part in (status, answer.error_code, answer.error_title) if part is not None)
            table.add_row(*map(cell, (instant(answer.responded_at), answer.campaign, told)))
            if answer.adobe_request_id is not None:
                table.add_row("", "", cell(answer.adobe_request_id))
        console.print()
        print_whole(console, table)


def _in_hand(one: WithWorkers) -> str | None:
    messages = [counted(one.messages, "message")] if one.messages else []
    return ", ".join([*messages, *(f"{triggers:,} {campaign}" for campaign, triggers in one.triggers.items())]) or None


def _failing(one: WithoutToken) -> str:
    return f"{one.worker} since {instant(one.since)} ({one.failure})"


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} ({number})" for name, number in value.items())
    return str(value)
