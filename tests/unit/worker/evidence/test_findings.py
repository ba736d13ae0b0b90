"""What the faults of a day come to."""

from datetime import UTC, date, datetime

import pytest
from ajo_worker.evidence.findings import DayFound, DayState, Fault, state_of


def fault(sealed: int | None, found: int | None) -> Fault:
    return Fault("triggers", 12, sealed, found, "")


@pytest.mark.parametrize(
    ("faults", "removed", "state"),
    [
        ([], False, "intact"),
        ([], True, "removed"),
        ([fault(450, 450)], False, "changed"),
        ([fault(450, 451)], True, "changed"),
        ([fault(450, 0)], False, "missing"),
        ([fault(None, None)], False, "missing"),
        ([fault(450, 0), fault(None, None)], False, "missing"),
        ([fault(450, 0), fault(3, 2)], False, "changed"),
        ([fault(0, 0)], False, "changed"),
    ],
)
def test_a_day_is_missing_if_all_that_is_wrong_is_that_something_is_gone(
    faults: list[Fault], removed: bool, state: DayState
) -> None:
    at = datetime(2026, 11, 20, tzinfo=UTC) if removed else None
    assert state_of(DayFound(date(2026, 11, 1), faults=faults, removed_at=at)) == state
