"""``ajo-dispatch outage`` of a lane, host or campaign that was renamed while it was kept back."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.alert_rows import put_outage
from tests.support.conservation import write_definition
from tests.support.database import query
from tests.support.ledger_rows import ago
from tests.support.programs import Finished

OLD_HOST = "destination:standard@old.example.com"
OLD_CAMPAIGN = "campaign:order-sent"
STATE = "select state from ledger.circuits where scope = $1"

Outage = Callable[..., Finished]


@pytest.fixture
def outage(run_cli: Callable[..., Finished], database_url: str, tmp_path: Path) -> Outage:
    """Runs the command where one campaign is defined, which is neither of those that are kept back."""
    write_definition(tmp_path / "campaigns")
    put_outage(database_url, OLD_HOST, "sustained-failures", ago(hours=1))
    put_outage(database_url, OLD_CAMPAIGN, "held", ago(hours=2), state="held")
    env = {"AJO_DATABASE_URL": database_url, "AJO_CAMPAIGNS": str(tmp_path / "campaigns")}
    return lambda *arguments: run_cli("outage", *arguments, env=env)


@pytest.mark.parametrize(
    ("word", "scope"),
    [(OLD_HOST, OLD_HOST), ("standard", OLD_HOST), (OLD_CAMPAIGN, OLD_CAMPAIGN), ("order-sent", OLD_CAMPAIGN)],
)
def test_what_was_renamed_while_it_was_kept_back_can_be_shown_and_resumed(
    outage: Outage, database_url: str, word: str, scope: str
) -> None:
    shown = outage("show", word, "--json")
    assert (shown.code, shown.err) == (0, "")
    assert json.loads(shown.out)["detail"]["outage"]["scope"] == scope
    done = outage("resume", word, "--why", "renamed")
    assert (done.code, done.err) == (0, "")
    assert f"{scope}: goes on" in done.out
    assert query(database_url, STATE, scope)[0]["state"] == "recovering"
    assert query(database_url, "select ended_at from ledger.outages where scope = $1", scope)[0]["ended_at"]


def test_what_is_closed_and_defined_no_longer_is_unknown(outage: Outage, database_url: str) -> None:
    query(database_url, "update ledger.circuits set state = 'closed' where scope = $1", OLD_CAMPAIGN)
    done = outage("resume", "order-sent", "--why", "renamed")
    assert done.code == 2
    assert OLD_HOST in done.err, "it is said what there is"
