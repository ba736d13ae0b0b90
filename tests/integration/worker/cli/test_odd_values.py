"""What the ledger can't hold is told as wrong usage, or as not there, and never as a fault of the program."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.programs import Finished

NO_TEXT = "\udcff\udcfe"
"""Bytes of a command line that are no UTF-8."""
CAMPAIGNS = Path(__file__).parents[4] / "campaigns"
ADDRESS = "ada@example.com"
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
        (("db", "downgrade", "--yes", "--to", ADDRESS), 2, "must be a migration, such as 0001, or base"),
        (("delays", "--campaign", ADDRESS), 2, "must be a campaign's name, and no address"),
        (("simulate", "--host", ADDRESS), 1, "can't listen on (address):8080"),
        (("metrics", "--host", ADDRESS), 1, "can't listen on (address):9464"),
        (("outage", "show", ADDRESS), 2, "'(address)' is no lane"),
        (("dead", "show", ADDRESS), 2, "(address) is no request id"),
        (("metrics", "--port", ADDRESS), 2, "Invalid value for '--port'"),
        (("campaigns", "import", ADDRESS), 1, "(address): No such file"),
        (("campaigns", "check", "--dir", ADDRESS), 1, "(address): no such folder"),
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
    assert ADDRESS not in done.out + done.err


@pytest.mark.parametrize("command", [("upgrade",), ("downgrade", "--yes", "--to", "base")])
def test_no_table_is_made_or_dropped_in_a_database_that_nobody_named(
    command: tuple[str, ...], run_cli: Callable[..., Finished]
) -> None:
    done = run_cli("db", *command, env={})
    assert (done.code, done.out) == (2, "")
    assert "AJO_DATABASE_URL is not set" in done.err
