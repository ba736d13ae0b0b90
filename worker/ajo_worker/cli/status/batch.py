"""How ``ajo-dispatch status BATCH_ID`` shows the triggers of one message."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from ajo_producers.contract.counted import counted
from rich.console import Console
from rich.table import Column, Table

from ajo_worker.cli.printing import cell, make_table, print_whole
from ajo_worker.views.batch import RecordedBatch
from ajo_worker.words import instant, perhaps

MOST_LISTED = 100
"""Triggers that are listed, those that were not accepted first; ``--json`` has all."""


def show_batch(found: RecordedBatch, console: Console) -> None:
    """Print what is known of it, how many ended how, and its triggers."""
    facts = Table("", Column(overflow="fold"), box=None, show_header=False, pad_edge=False)
    for fact, value in _facts(found):
        facts.add_row(cell(fact), cell(value))
    print_whole(console, facts)
    if not found.triggers:
        return
    states = make_table("State", "Reason", "Triggers", numbers=1)
    for (state, reason), count in Counter((one.state, one.reason) for one in found.triggers).most_common():
        states.add_row(*map(cell, (state, reason)), f"{count:,}")
    triggers = make_table("Request id", "Campaign", "State", "Reason", "Twice?", "Round", "Attempts", numbers=2)
    listed = sorted(found.triggers, key=lambda one: one.state == "accepted")[:MOST_LISTED]
    for one in listed:
        row = map(cell, (one.request_id, one.campaign, one.state, one.reason, perhaps(one.possible_duplicate)))
        triggers.add_row(*row, str(one.round), str(one.attempts))
    for part in (states, triggers):
        console.print()
        print_whole(console, part)
    if left := len(found.triggers) - len(listed):
        console.print(f"and {left:,} more, all accepted or listed by --json", markup=False)
    console.print("\najo-dispatch status REQUEST_ID shows one of them, event by event.", markup=False)


def _facts(found: RecordedBatch) -> Iterator[tuple[str, Any]]:
    yield "batch", found.batch_id
    if found.triggers:
        first = min(found.triggers, key=lambda one: one.received_at)
        yield "producer", first.producer
        yield "published", instant(first.enqueued_at)
        yield "received", instant(first.received_at)
        yield "triggers", f"{len(found.triggers):,}"
    if found.quarantined:
        numbers = ", ".join(map(str, found.quarantined[:MOST_LISTED]))
        what = counted(len(found.quarantined), "item")
        yield "quarantine", f"{what} that could not be read: ajo-dispatch quarantine NUMBER ({numbers})"
