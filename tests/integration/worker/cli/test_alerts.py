"""``ajo-dispatch alerts``: a line each, pages first, and an exit code for scripts."""

import json
from collections.abc import Callable

import pytest

from tests.support.alert_rows import DESTINATION, put_outage, put_unread
from tests.support.ledger_rows import ago, put_worker
from tests.support.programs import Finished

Cli = Callable[..., Finished]


@pytest.fixture
def alerts(run_cli: Cli, database_url: str) -> Cli:
    def run(*arguments: str) -> Finished:
        return run_cli("alerts", *arguments, env={"AJO_DATABASE_URL": database_url})

    return run


def test_nothing_that_needs_anybody_is_exit_code_0(alerts: Cli, database_url: str) -> None:
    put_worker(database_url)
    done = alerts()
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Nothing needs anybody (")
    done = alerts("--json")
    assert (done.code, json.loads(done.out)["alerts"]) == (0, [])


def test_each_alert_is_a_line_with_whom_it_is_for_and_the_first_command(alerts: Cli, database_url: str) -> None:
    put_worker(database_url)
    put_unread(database_url, ago(minutes=5))
    put_outage(database_url, DESTINATION, "sustained-failures", ago(seconds=65))
    done = alerts()
    assert (done.code, done.err) == (1, "")
    first, second = done.out.splitlines()
    assert first.split()[:4] == ["page", "adobe-support", "outage-destination", DESTINATION]
    assert first.endswith("sustained-failures; first: ajo-dispatch outage show 1")
    assert second.split()[:4] == ["ticket", "producers", "quarantine", "ajo-dispatch.standard"]
    assert second.endswith("; first: ajo-dispatch quarantine --since 1h")
    done = alerts("--json")
    assert done.code == 1
    found = json.loads(done.out)
    assert [alert["alert"] for alert in found["alerts"]] == ["outage-destination", "quarantine"]
    assert set(found["alerts"][0]) == {
        "alert", "severity", "audience", "scope", "since", "value", "threshold", "summary", "count", "floor"
    }  # fmt: skip


def test_an_age_that_has_no_begin_is_null(alerts: Cli) -> None:
    (alert,) = json.loads(alerts("--json").out)["alerts"]
    assert (alert["alert"], alert["since"], alert["value"], alert["threshold"]) == ("no-worker", None, None, 30)


def test_a_database_that_is_away_is_named_without_its_password(run_cli: Cli) -> None:
    done = run_cli("alerts", env={"AJO_DATABASE_URL": "postgresql://ajo:hunter2@127.0.0.1:1/ajo"})
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: can't reach database 'ajo' at 127.0.0.1:1: connection refused")
    assert "hunter2" not in done.err
