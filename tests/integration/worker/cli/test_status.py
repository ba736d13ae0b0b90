"""``ajo-dispatch status``: the overview of a while, and how the command refuses."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from tests.support.database import query
from tests.support.ledger_rows import accepted_after_retries, ago, put_trigger, put_worker
from tests.support.programs import Finished
from tests.support.waiting import DEADLINE_SECONDS

Cli = Callable[..., Finished]

NOBODY = "postgresql://ajo:hunter2@127.0.0.1:1/ajo"


@pytest.fixture
def status(run_cli: Cli, database_url: str) -> Cli:
    def run(*arguments: str) -> Finished:
        return run_cli("status", *arguments, env={"AJO_DATABASE_URL": database_url})

    return run


def read(done: Finished) -> Any:
    assert (done.code, done.err) == (0, "")
    return json.loads(done.out)


def test_the_overview_counts_states_reasons_duplicates_and_workers(status: Cli, database_url: str) -> None:
    accepted_after_retries(database_url)
    enqueued = ago(minutes=1)
    dead = put_worker(database_url, heartbeat_at=ago(minutes=1), hostname="node-2")
    end = {"state": "rejected", "reason": "bad-request", "completed_at": ago()}
    put_trigger(database_url, enqueued, campaign="flash-sale", **end)
    put_trigger(database_url, enqueued, campaign="flash-sale", **end)
    oldest = put_trigger(database_url, ago(minutes=3), owner=dead, attempts_started=1, last_intent_at=ago(minutes=3))
    put_trigger(database_url, ago(days=2), state="expired", reason="budget-spent", completed_at=ago(days=2))
    query(
        database_url,
        "insert into ledger.quarantine (received_at, worker, body_bytes, queue, reason, body) "
        "values (now(), $1, 1, 'ajo-dispatch.standard', 'not JSON', 'x')",
        uuid7(),
    )
    found = read(status("--json"))
    assert found["triggers"] == 4
    assert found["states"] == {"accepted": 1, "rejected": 2, "sending": 1}
    assert found["campaigns"] == {"flash-sale": {"rejected": 2}, "order-shipped": {"accepted": 1, "sending": 1}}
    assert found["reasons"] == [{"state": "rejected", "reason": "bad-request", "triggers": 2}]
    assert found["duplicate_causes"] == {"ambiguous-answer": 1}
    assert found["possible_duplicates"] == 1
    assert found["oldest_sending"]["request_id"] == str(oldest)
    assert found["oldest_sending"]["age_seconds"] > 0
    assert {row["hostname"]: (row["status"], row["sending"]) for row in found["workers"]} == {
        "node-1": ("alive", 0),
        "node-2": ("dead", 1),
    }
    assert found["quarantined"] == 1
    assert found["held"] == []
    assert read(status("--json", "--since", "3d"))["states"]["expired"] == 1

    text = status().out
    assert text.startswith("4 triggers received in the last 24h (since ")
    for told in ("Possible duplicates: 1 (ambiguous-answer 1)", f"Longest sending: {oldest}", "Quarantine: 1 that"):
        assert told in text
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines() if line.strip()}
    assert rows["all"] == ["4", "1", "2", "1"]
    assert rows["node-2:4711"][0] == "dead"


def test_the_overview_of_an_empty_ledger_says_that_nothing_came_and_nobody_works(status: Cli) -> None:
    done = status("--since", "15m")
    assert done.code == 0
    assert "No trigger was received in the last 15m" in done.out
    assert "No worker is alive" in done.out
    assert read(status("--json"))["oldest_sending"] is None


def test_a_worker_that_lives_is_shown_even_if_its_last_beat_was_before_the_while(
    run_cli: Cli, database_url: str
) -> None:
    put_worker(database_url, heartbeat_at=ago(minutes=1), owner_timeout_seconds=3600.0)
    env = {"AJO_DATABASE_URL": database_url}
    assert [worker["status"] for worker in read(run_cli("status", "--since", "1s", "--json", env=env))["workers"]] == [
        "alive"
    ]


def test_what_a_program_reads_is_never_cut_however_narrow_the_terminal_was(run_cli: Cli, database_url: str) -> None:
    campaign = f"a-campaign-with-{'a-very-' * 20}long-name"
    put_trigger(database_url, ago(minutes=1), campaign=campaign)
    done = run_cli("status", env={"AJO_DATABASE_URL": database_url, "COLUMNS": "40"})
    assert any(line.startswith(f"{campaign} ") for line in done.out.splitlines())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["order-17"], "must be a UUID: a trigger's request id, or the id of a batch, as Flower shows it"),
        (["--since", "yesterday"], "must be a duration such as 30s, 15m, 1h, 2d or 1d12h"),
        (["--since", "0s"], "must be above 0 and at most 3650d"),
        ([str(uuid7()), "--since", "1h"], "only without an id"),
    ],
)
def test_wrong_usage_is_explained_with_exit_code_2(arguments: list[str], told: str, run_cli: Cli) -> None:
    done = run_cli("status", *arguments, env={"AJO_DATABASE_URL": NOBODY})
    assert (done.code, done.out) == (2, "")
    assert told in done.err


@pytest.mark.parametrize("command", ["status", "delays"])
def test_a_database_that_is_away_or_has_no_ledger_is_named_without_its_password(
    command: str, run_cli: Cli, postgres_url: str
) -> None:
    away = run_cli(command, env={"AJO_DATABASE_URL": NOBODY})
    assert (away.code, away.out) == (1, "")
    assert "error: can't reach database 'ajo' at 127.0.0.1:1: connection refused" in away.err
    assert "hunter2" not in away.err
    empty = run_cli(command, env={"AJO_DATABASE_URL": postgres_url})
    assert (empty.code, empty.out) == (1, "")
    assert "has no ledger" in empty.err
    assert "run 'ajo-dispatch db upgrade'" in empty.err


@pytest.mark.parametrize("command", ["status", "delays"])
def test_wrong_settings_are_wrong_usage(command: str, run_cli: Cli) -> None:
    done = run_cli(command, env={"AJO_PREFETCH": "0"})
    assert done.code == 2
    assert done.err.startswith("error: AJO_PREFETCH: ")


def test_a_command_that_reads_loads_no_logging_and_so_starts_a_sixth_sooner() -> None:
    code = (
        "import sys; from ajo_producers.cli.main import main; main(['status']);"
        "print([name for name in ('structlog', 'pygments', 'alembic', 'celery') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "AJO_DATABASE_URL": NOBODY},
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    assert (done.stdout, "can't reach database" in done.stderr) == ("[]\n", True), done.stderr
