"""The budget: one end for all attempts and waits of a round."""

import pytest
from ajo_worker.dispatch.budget import Budget


@pytest.mark.parametrize(
    ("expires", "end", "reason"),
    [
        (None, 160.0, "budget-spent"),
        (130.0, 130.0, "expires-at"),
        (160.0, 160.0, "expires-at"),
        (500.0, 160.0, "budget-spent"),
    ],
)
def test_the_budget_ends_with_its_seconds_or_with_the_trigger_whichever_is_first(
    expires: float | None, end: float, reason: str
) -> None:
    budget = Budget(100.0, 60.0, expires)
    assert (budget.end, budget.end_reason) == (end, reason)
    assert budget.left(end - 1) == 1
    assert budget.left(end + 1) == -1


def test_an_answer_gets_what_is_left_of_the_budget_but_never_more_than_the_attempts_own_limit() -> None:
    budget = Budget(100.0, 60.0)
    assert budget.answer_time(100.0, at_most=20.0) == 20.0
    assert budget.answer_time(155.0, at_most=20.0) == 5.0
    assert (budget.answer_time(100.0), budget.answer_time(155.0)) == (60.0, 5.0), "which is none by default"


def test_an_answer_may_come_after_the_triggers_expiry_since_only_the_start_of_an_attempt_is_bounded() -> None:
    assert Budget(100.0, 60.0, expires=101.0).answer_time(100.5, at_most=20.0) == 20.0
