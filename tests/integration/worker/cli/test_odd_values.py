"""What the ledger can't hold is told as wrong usage, or as not there, and never as a fault of the program."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.programs import Finished

NO_TEXT = "\udcff\udcfe"
"""Bytes of a command line that are no UTF-8."""
CAMPAIGNS = Path(__file__).parents[4] / "campaigns"
HUGE, LONG = 25 * "9", 5000 * "9"


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (("delays", "--campaign", NO_TEXT), 2, "Invalid value for --campaign: must be a text"),
        (("delays", "--campaign", ""), 2, "Invalid value for --campaign: must be a text"),
        (("report", "--campaign", NO_TEXT), 2, "Invalid value for --campaign: must be a text"),
        (("audit", "recipient", "ada@example.com", "--campaign", NO_TEXT), 2, "Invalid value for --campaign"),
        (("outage", "show", HUGE), 1, f"no outage of {HUGE} is on record"),
        (("outage", "show", LONG), 1, "is on record"),
        (("quarantine", HUGE), 2, "should be less than or equal to"),
        (("db", "downgrade", "--yes", "--to", ""), 2, "Invalid value for --to: must be a text"),
        (("worker", "--processes", HUGE), 2, "should be less than or equal to 256"),
        (
            ("trigger", "order-shipped", "--to", "a@example.com", "--occurred-at", NO_TEXT),
            1,
            "occurred_at must be a time",
        ),
        (("top", "--once", "--every", "nan"), 2, "must be 0.5 to 3,600 seconds"),
        (("trigger", "order-shipped", "--from", "-", "--format", "csv", "--rate", "inf"), 2, "--rate"),
    ],
)
def test_a_value_that_the_ledger_cannot_hold_is_no_fault_of_ours(
    command: tuple[str, ...], code: int, said: str, run_cli: Callable[..., Finished], database_url: str
) -> None:
    env = {"AJO_DATABASE_URL": database_url, "AJO_HASH_KEY": "a key", "AJO_CAMPAIGNS": str(CAMPAIGNS)}
    done = run_cli(*command, env=env)
    assert (done.code, said in done.err) == (code, True), done.err
