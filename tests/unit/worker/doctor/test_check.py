"""What ends the command with 1, and what does not."""

import pytest
from ajo_worker.doctor.check import Check, Status, exit_code


@pytest.mark.parametrize(
    ("statuses", "code"),
    [([], 0), (["ok", "warning", "skipped"], 0), (["ok", "failed"], 1), (["failed", "ok"], 1)],
)
def test_only_a_failed_check_fails_the_command(statuses: list[Status], code: int) -> None:
    assert exit_code(Check("one", status, "found") for status in statuses) == code
