"""What is told of an order: how long it takes, what it leaves out and why, which ids it can't take."""

from datetime import UTC, datetime
from io import StringIO
from uuid import UUID

import pytest
from ajo_worker.cli.dead.report import left_out_lines, other_lines, pace, show_plan
from ajo_worker.deadletters.choosing import Filter
from ajo_worker.deadletters.redriving import Order, Plan, Planned
from rich.console import Console

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
REDRIVE, DISCARD = Order("redrive", Filter(), rate=100), Order("discard", Filter())
PLAN = Plan(
    NOON,
    [
        Planned("order-shipped", "rejected", "bad-request", None, 2_000),
        Planned("order-shipped", "unconfirmed", "conflict", "unconfirmed", 3),
        Planned("order-shipped", "rejected", "bad-request", "expires-at", 1),
    ],
)


@pytest.mark.parametrize(
    ("order", "letters", "told"),
    [
        (REDRIVE, 2_000, "; at 100 a second, the last one goes on within 20 s"),
        (REDRIVE, 1, "; at 100 a second, the last one goes on within 1 s"),
        (Order("redrive", Filter(), rate=0.5), 3, "; at 0.5 a second, the last one goes on within 6 s"),
        (REDRIVE, 0, ""),
        (DISCARD, 2_000, ""),
    ],
)
def test_a_redrive_tells_how_long_it_takes(order: Order, letters: int, told: str) -> None:
    assert pace(order, letters) == told


def test_what_is_left_out_is_counted_with_its_reason_and_what_would_take_it() -> None:
    assert left_out_lines(PLAN) == [
        "3 dead letters left out: unconfirmed, so Adobe may have accepted them, and may send them twice; --unconfirmed "
        "takes them",
        "1 dead letter left out: past the end that their producers set (expires_at), so they would only expire again",
    ]
    assert left_out_lines(Plan(NOON, [])) == []


def test_a_plan_has_a_row_for_each_campaign_state_and_reason() -> None:
    out = StringIO()
    show_plan(PLAN, REDRIVE, Console(file=out, width=200))
    lines = [line.split() for line in out.getvalue().splitlines()]
    assert ["order-shipped", "rejected", "bad-request", "2,000", "1"] in lines
    assert ["order-shipped", "unconfirmed", "conflict", "0", "3"] in lines
    assert "2,000 dead letters to redrive; at 100 a second" in out.getvalue()


def test_only_the_first_few_ids_are_named() -> None:
    lines = other_lines({UUID(int=number): "it is accepted" for number in range(12)})
    assert len(lines) == 11
    assert lines[0] == f"{UUID(int=0)} is no dead letter: it is accepted"
    assert lines[-1] == "and 2 more"
