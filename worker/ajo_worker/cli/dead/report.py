"""How the commands of ``dead`` show dead letters, and what is or was done to them."""

from collections.abc import Iterator
from math import ceil
from typing import Any
from uuid import UUID

import msgspec
from ajo_producers.contract.counted import counted
from rich.console import Console
from rich.table import Column, Table

from ajo_worker.cli.printing import cell, make_table, print_part, print_whole
from ajo_worker.deadletters.choosing import DeadLetters
from ajo_worker.deadletters.detail import AttemptFacts, LetterDetail
from ajo_worker.deadletters.redriving import LeftOut, Order, Plan
from ajo_worker.words import instant

DONE = {"redrive": "redriven", "discard": "discarded"}
WHY_LEFT_OUT: dict[LeftOut, str] = {
    "unconfirmed": "unconfirmed, so Adobe may have accepted them, and may send them twice; --unconfirmed takes them",
    "expires-at": "past the end that their producers set (expires_at), so they would only expire again",
}
MOST_NAMED = 10
"""Ids that a message names one by one."""


def show_list(report: DeadLetters, console: Console) -> None:
    """Print counts of all, and the newest."""
    groups = make_table("Campaign", "State", "Reason", "Dead letters", "Oldest", "Newest", numbers=3)
    for group in report.groups:
        row = map(cell, (group.campaign, group.state, group.reason))
        groups.add_row(*row, f"{group.letters:,}", instant(group.oldest), instant(group.newest))
    newest = make_table("Request id", "Campaign", "State", "Reason", "Status", "Attempts", "Round", "Ended", numbers=4)
    for letter in report.newest:
        row = map(cell, (letter.request_id, letter.campaign, letter.state, letter.reason, letter.last_status))
        newest.add_row(*row, f"{letter.attempts:,}", str(letter.round), instant(letter.completed_at))
    shown = "all of them" if len(report.newest) == report.letters else f"the newest {len(report.newest):,}"
    console.print(f"{counted(report.letters, 'dead letter')}; below, {shown}, newest first", markup=False)
    for table in (groups, newest):
        console.print()
        print_whole(console, table)


def show_letter(detail: LetterDetail, console: Console) -> None:
    """Print one trigger: facts, attempts, operations, and its payload's paths or, if asked for, the payload."""
    facts = Table("", Column(overflow="fold"), box=None, show_header=False, pad_edge=False)
    for name, value in _facts(detail):
        facts.add_row(cell(name), cell(value))
    print_whole(console, facts)
    for part in _parts(detail):
        console.print()
        print_part(console, part)


def _facts(detail: LetterDetail) -> Iterator[tuple[str, Any]]:
    trigger = detail.trigger
    yield "request id", trigger.request_id
    yield "campaign", f"{trigger.campaign} ({trigger.lane} lane)"
    yield "state", f"{trigger.state}: {trigger.reason}" if trigger.reason else trigger.state
    yield "round", trigger.round
    yield "producer", trigger.producer
    yield "received", instant(trigger.received_at)
    if trigger.completed_at:
        yield "ended", instant(trigger.completed_at)
    if trigger.expires_at:
        yield "expires at", instant(trigger.expires_at)
    if trigger.resume_at:
        yield "goes on from", instant(trigger.resume_at)
    causes = ", ".join(trigger.duplicate_causes)
    yield "possible duplicate", f"yes: {causes}" if trigger.possible_duplicate else "no"
    yield "payload", _held(detail)


def _held(detail: LetterDetail) -> str:
    trigger = detail.trigger
    if trigger.held_at is None:
        return "not held"
    sealed = f"encrypted with key {trigger.key_id}" if trigger.key_id else "plain"
    held = f"held since {instant(trigger.held_at)}, {sealed}"
    return f"{held}; it can't be read: {detail.unreadable}" if detail.unreadable else held


def _parts(detail: LetterDetail) -> Iterator[Table | str]:
    if detail.attempts:
        table = make_table("Attempt", "Dispatched", "Outcome", "Answer")
        for attempt in detail.attempts:
            number = f"{attempt.round}.{attempt.attempt}"
            table.add_row(*map(cell, (number, instant(attempt.dispatched_at), attempt.outcome, _answer(attempt))))
        yield table
    if detail.operations:
        table = make_table("Operation", "Done", "By", "What", "Was", "Why")
        for done in detail.operations:
            was = f"{done.state}, round {done.round}"
            table.add_row(
                *map(cell, (done.operation_id, instant(done.done_at), done.operator, done.action, was, done.reason))
            )
        yield table
    if isinstance(detail.payload, msgspec.Raw):
        lines = msgspec.json.format(bytes(detail.payload), indent=2).decode().split("\n")
        yield "\n".join(str(cell(line)) for line in lines)
    elif detail.shape:
        table = make_table("Payload", "Type", "Values", numbers=1)
        for part in detail.shape:
            table.add_row(cell(part.path or "(all of it)"), cell(", ".join(part.types)), f"{part.times:,}")
        yield table


def _answer(attempt: AttemptFacts) -> str:
    answer = str(attempt.http_status) if attempt.http_status else attempt.failure
    gateway = f"x-request-id {attempt.adobe_request_id}" if attempt.adobe_request_id else None
    parts = (
        answer,
        attempt.error_code,
        attempt.error_title,
        "perhaps accepted" if attempt.ambiguous else None,
        gateway,
    )
    return ", ".join(part for part in parts if part)


def show_plan(plan: Plan, order: Order, console: Console) -> None:
    """Print what an order would change and leave out, by campaign, state and reason."""
    kinds: dict[tuple[str, str, str | None], list[int]] = {}
    for kind in plan.kinds:
        counts = kinds.setdefault((kind.campaign, kind.state, kind.reason), [0, 0])
        counts[kind.left_out is not None] += kind.letters
    table = make_table("Campaign", "State", "Reason", f"To {order.action}", "Left out", numbers=2)
    for names, counts in kinds.items():
        table.add_row(*map(cell, names), *(f"{count:,}" for count in counts))
    console.print(table)
    console.print()
    console.print(f"{counted(plan.letters, 'dead letter')} to {order.action}{pace(order, plan.letters)}", markup=False)
    for line in left_out_lines(plan):
        console.print(line, markup=False)


def pace(order: Order, letters: int) -> str:
    """How long it takes until all that was redriven may go on. Pure."""
    if order.action == "discard" or not letters:
        return ""
    return f"; at {order.rate:g} a second, the last one goes on within {ceil(letters / order.rate):,} s"


def left_out_lines(plan: Plan) -> list[str]:
    """How many an order leaves out, and why, a line each. Pure."""
    return [
        f"{counted(letters, 'dead letter')} left out: {WHY_LEFT_OUT[why]}" for why, letters in plan.left_out.items()
    ]


def other_lines(others: dict[UUID, str]) -> list[str]:
    """What was asked for by its id and is no dead letter, a line each. Pure."""
    lines = [f"{request_id} is no dead letter: {what}" for request_id, what in others.items()]
    more = len(lines) - MOST_NAMED
    return [*lines[:MOST_NAMED], f"and {more:,} more"] if more > 0 else lines
