"""What to do with a copy of a trigger that the ledger knows."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from ajo_worker.ledger.admission import Known, Settled, TakeOver, Wait, on_copy

ME, OTHER = UUID(int=1), UUID(int=2)
BEGAN = datetime(2026, 11, 24, tzinfo=UTC)


def known(**changes: Any) -> Known:
    usual: dict[str, Any] = {
        "state": "sending",
        "owner": OTHER,
        "owner_alive": False,
        "fence": 1,
        "round": 1,
        "attempts_started": 1,
        "first_dispatched_at": BEGAN,
        "last_intent_at": BEGAN,
        "last_attempt_recorded": False,
        "not_before": None,
        "ambiguous_attempts": 0,
        "ambiguous_before": 0,
        "interrupted_attempts": 0,
        "looked_at": BEGAN + timedelta(seconds=30),
        "before_step": False,
    }
    return Known(**{**usual, **changes})


@pytest.mark.parametrize("state", ["accepted", "rejected", "expired", "unconfirmed", "parked"])
@pytest.mark.parametrize("owner_alive", [True, False])
def test_a_copy_of_a_trigger_that_has_its_state_has_nothing_left_to_do(state: str, owner_alive: bool) -> None:
    assert on_copy(known(state=state, owner_alive=owner_alive), ME) == Settled(state)


def test_a_copy_waits_for_a_living_owner() -> None:
    assert on_copy(known(owner_alive=True), ME) == Wait()


@pytest.mark.parametrize(
    ("changes", "interrupted"),
    [
        ({}, True),
        ({"last_attempt_recorded": True}, False),
        ({"attempts_started": 0}, False),
        ({"owner": ME, "owner_alive": True}, True),
        ({"owner": ME, "owner_alive": True, "last_attempt_recorded": True}, False),
    ],
)
def test_a_dead_owners_trigger_is_taken_over_and_its_unrecorded_attempt_counts_as_interrupted(
    changes: dict[str, Any], interrupted: bool
) -> None:
    row = known(**changes)
    assert on_copy(row, ME) == TakeOver(row, interrupted=interrupted)


@pytest.mark.parametrize(
    ("began", "before_step", "stepped"),
    [
        (-3600.0, False, False),
        (0.0, False, False),
        (2.0, False, False),  # as workers estimate the ledger's clock
        (2.001, False, True),
        (60.0, False, True),
        (86_400.0, False, True),
        (-3.0, True, True),
        (None, False, False),  # nothing was dispatched in this round
    ],
)
def test_of_a_round_that_began_in_the_ledgers_future_or_before_its_clock_was_set_back_nobody_knows_the_age(
    began: float | None, before_step: bool, stepped: bool
) -> None:
    now = BEGAN + timedelta(days=1)
    first = None if began is None else now + timedelta(seconds=began)
    row = known(first_dispatched_at=first, looked_at=now, before_step=before_step)
    assert row.clock_stepped is stepped
