"""Show the whole stack at work: 2,000 triggers, what became of them, and who delayed them."""

import asyncio
import time
from typing import Annotated

import asyncpg
import typer
from rich.console import Console

from ajo_local.child import LocalStackError
from ajo_local.order_events import write_order_events
from ajo_local.outcome import (
    confirmed_ids,
    contradictions,
    duplicate_lines,
    journal_calls,
    outcome_table,
    recorded_triggers,
)
from ajo_local.processes import ended_by_sigterm
from ajo_local.progress import follow
from ajo_local.scripted import blame_table, blamed_triggers, scripted_faults
from ajo_local.stack import CAMPAIGN, Stack, local_stack

app = typer.Typer(add_completion=False)

TRIGGERS = 2000
RATE = 100.0
"""Triggers a second: well below the lane's limit, so that nothing waits for us."""
TIMEOUT_SECONDS = 120
"""On top of the time that sending takes."""


@app.command()
def demo(
    triggers: Annotated[int, typer.Option(min=1, max=100_000, help="How many triggers to send.")] = TRIGGERS,
) -> None:
    """Start PostgreSQL, Valkey, a simulator with a few faults and a worker; send triggers; report; stop everything."""
    console = Console()
    started = time.monotonic()
    try:
        with ended_by_sigterm():
            console.print("Starting PostgreSQL, Valkey, the simulator and a worker …")
            with local_stack() as stack:
                wrong = asyncio.run(_run(stack, console, triggers))
    except LocalStackError as error:
        raise typer.TyperException(str(error)) from error
    console.print(f"Everything is stopped, after {time.monotonic() - started:.0f} s.")
    if wrong:
        raise typer.TyperException("receipts, ledger and journal contradict each other:\n" + "\n".join(wrong))


async def _run(stack: Stack, console: Console, triggers: int) -> list[str]:
    """Send the triggers and report; returns what is wrong."""
    stack.start_worker()
    events = stack.campaigns.parent / "orders.jsonl"
    receipts = events.with_name("receipts.jsonl")
    write_order_events(events, triggers, RATE)
    console.print(f"Sending {triggers:,} triggers of the campaign {CAMPAIGN}, {RATE:g} a second …")
    given = ("--from", events, "--receipts", receipts, "--rate", f"{RATE:g}")
    publisher = stack.start("publisher", "trigger", CAMPAIGN, *given)
    limit = triggers / RATE + TIMEOUT_SECONDS
    connection = await asyncpg.connect(stack.env["AJO_DATABASE_URL"])
    try:
        await follow(connection, stack.processes, publisher, console, triggers=triggers, timeout=limit)
        recorded, blamed = await recorded_triggers(connection), await blamed_triggers(connection)
    finally:
        await connection.close()
    calls = journal_calls(stack.journal)
    wrong = contradictions(recorded, calls, confirmed_ids(receipts))
    console.print()
    console.print(outcome_table(recorded))
    for line in duplicate_lines(recorded, calls):
        console.print(line)
    if not wrong:
        console.print("The publisher's receipts, the ledger and the simulator's journal tell the same story, id by id.")
    console.print("\nWhat the simulator was told to do, and whom the ledger names for what was late:")
    console.print(blame_table(blamed, scripted_faults(calls)))
    console.print("\nWhere the time went (ajo-dispatch delays):")
    typer.echo(stack.run("delays"))
    return wrong
