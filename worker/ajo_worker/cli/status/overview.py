"""How ``ajo-dispatch status`` shows the triggers of a while."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from ajo_producers.contract.counted import counted
from rich.console import Console
from rich.table import Table

from ajo_worker.cli.backlog import backlog_parts
from ajo_worker.cli.printing import cell, make_table, print_part
from ajo_worker.ledger.unknown_definitions import UnknownDefinition
from ajo_worker.states import STATES
from ajo_worker.views.overview import Held, Overview, WorkerRow
from ajo_worker.words import instant, seconds


def show_overview(report: Overview, since: str, console: Console) -> None:
    """Print the report; ``since`` as it was asked for."""
    when = f"in the last {since} (since {instant(report.since)})"
    if report.triggers:
        console.print(f"{counted(report.triggers, 'trigger')} received {when}", markup=False)
    else:
        console.print(f"No trigger was received {when}.", markup=False)
    for part in _parts(report):
        console.print()
        print_part(console, part)


def _parts(report: Overview) -> Iterator[Table | str]:
    if report.triggers:
        yield _campaigns(report)
    if report.reasons:
        yield _reasons(report)
    if report.triggers:
        causes = ", ".join(f"{cause} {count:,}" for cause, count in report.duplicate_causes.items())
        yield f"Possible duplicates: {report.possible_duplicates:,}{f' ({causes})' if causes else ''}"
    if oldest := report.oldest_sending:
        yield (
            f"Longest sending: {oldest.request_id} ({cell(oldest.campaign)}), for {seconds(oldest.age_seconds)} s; "
            "ajo-dispatch status REQUEST_ID shows it"
        )
    yield from backlog_parts(report.backlog)
    yield from (_unknown(one, report.at) for one in report.unknown_definitions)
    if report.held:
        yield _held(report.held)
    if report.differing_copies:
        yield (
            f"One key for two messages: {report.differing_copies:,} with other recipients or content than the first, "
            "never sent; ajo-dispatch alerts, view audit.differing_copies"
        )
    if report.quarantined:
        yield f"Quarantine: {report.quarantined:,} that could not be read (table ledger.quarantine), of all times"
    if report.workers:
        yield _workers(report.workers)
    else:
        yield "No worker is alive."


def _unknown(unknown: UnknownDefinition, at: datetime) -> str:
    """What waits for a definition, and the two ways to let it go on."""
    wanted = f"their definition ({unknown.call_digest})" if unknown.call_digest else "a definition of that name"
    others = f" The present one is {' and '.join(unknown.others)}." if unknown.others else ""
    replaces = f', or write replaces = ["{unknown.call_digest}"] into the present one' if unknown.others else ""
    return (
        f"Parked for {(at - unknown.oldest).total_seconds():,.0f} s: {counted(unknown.triggers, 'trigger')} of "
        f"{cell(unknown.campaign)}, since no worker alive has {wanted}.{others} Start one that has it{replaces}."
    )


def _campaigns(report: Overview) -> Table:
    shown = [state for state in STATES if report.states.get(state)]
    table = make_table("Campaign", "Triggers", *shown, numbers=1 + len(shown))
    for name, states in report.campaigns.items():
        table.add_row(cell(name), *_counts(states, shown))
    if len(report.campaigns) > 1:
        table.add_row("all", *_counts(report.states, shown), style="bold")
    return table


def _counts(states: dict[str, int], shown: list[str]) -> list[str]:
    return [f"{Counter(states).total():,}", *(f"{states.get(state, 0):,}" for state in shown)]


def _reasons(report: Overview) -> Table:
    table = make_table("State", "Reason", "Triggers", numbers=1)
    for ended in report.reasons:
        table.add_row(ended.state, cell(ended.reason), f"{ended.triggers:,}")
    return table


def _held(held: list[Held]) -> Table:
    table = make_table("Payloads held", "Reason", "Triggers", "Oldest, of all times", numbers=2)
    for row in held:
        table.add_row(row.state, cell(row.reason), f"{row.triggers:,}", instant(row.oldest))
    return table


def _workers(workers: list[WorkerRow]) -> Table:
    table = make_table("Worker", "Is", "Version", "Sending", "Last beat", "Clock skew", numbers=3)
    for worker in workers:
        table.add_row(
            cell(f"{worker.hostname}:{worker.pid}"),
            worker.status,
            cell(worker.version),
            f"{worker.sending:,}",
            f"{worker.heartbeat_age_seconds:z,.0f} s ago",
            "–" if worker.clock_skew_seconds is None else f"{seconds(worker.clock_skew_seconds)} s",
        )
    return table
