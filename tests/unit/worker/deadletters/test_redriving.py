"""What an order leaves out, counted."""

from datetime import UTC, datetime

import pytest
from ajo_worker.deadletters.choosing import Filter
from ajo_worker.deadletters.redriving import Order, Plan, Planned, left_out_of

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("order", "reasons"),
    [
        (Order("redrive", Filter()), {"expires-at", "unconfirmed"}),
        (Order("redrive", Filter(), unconfirmed=True), {"expires-at"}),
        (Order("discard", Filter()), set()),
    ],
)
def test_a_redrive_leaves_out_what_would_expire_or_be_doubled_and_a_discard_nothing(
    order: Order, reasons: set[str]
) -> None:
    sql = left_out_of(order)
    assert {reason for reason in ("expires-at", "unconfirmed") if f"THEN '{reason}'" in sql} == reasons


def test_a_plan_counts_what_it_changes_apart_from_what_it_leaves_out() -> None:
    plan = Plan(
        NOON,
        [
            Planned("a", "rejected", "bad-request", None, 5),
            Planned("b", "expired", "budget-spent", None, 2),
            Planned("a", "unconfirmed", "conflict", "unconfirmed", 3),
            Planned("b", "unconfirmed", "conflict", "unconfirmed", 1),
            Planned("b", "expired", "expires-at", "expires-at", 7),
        ],
    )
    assert plan.letters == 7
    assert plan.left_out == {"unconfirmed": 4, "expires-at": 7}
