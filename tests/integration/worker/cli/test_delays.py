"""``ajo-dispatch delays``: percentiles of the phases, over triggers that came to their end."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from tests.support.ledger_rows import after, ago, put_attempt, put_trigger
from tests.support.programs import Finished

Cli = Callable[..., Finished]


@pytest.fixture
def delays(run_cli: Cli, database_url: str) -> Cli:
    def run(*arguments: str) -> Finished:
        return run_cli("delays", *arguments, env={"AJO_DATABASE_URL": database_url})

    return run


def read(done: Finished) -> Any:
    assert (done.code, done.err) == (0, "")
    return json.loads(done.out)


def put_accepted(url: str, *, broker: float = 0.5, api: float = 1.0, **columns: Any) -> UUID:
    """A trigger that waited ``broker`` seconds, was dispatched 0.5 s later and answered after ``api`` seconds."""
    enqueued = ago(minutes=5)
    first = after(enqueued, broker + 0.5)
    end = after(first, api)
    row = {"received_at": after(enqueued, broker), "state": "accepted", "completed_at": end} | columns
    request_id = put_trigger(url, enqueued, first_dispatched_at=first, attempts_started=1, **row)
    times = {"responded_at": end, "to_headers_seconds": api, "to_body_seconds": api, "slot_wait_seconds": 0.3}
    put_attempt(url, request_id, 1, first, **times)
    return request_id


def test_phases_have_percentiles_and_shares_that_sum_to_the_whole(delays: Cli, database_url: str) -> None:
    for api in (1.0, 1.0, 1.0, 5.0):
        put_accepted(database_url, api=api)
    found = read(delays("--json"))["all"]
    assert found["triggers"] == 4
    assert found["phases"]["headers"]["p50"] == pytest.approx(1)
    assert found["phases"]["headers"]["longest"] == pytest.approx(5)
    assert found["phases"]["headers"]["share"] == pytest.approx(8 / 12)
    assert found["phases"]["slot"]["p50"] == pytest.approx(0.3)
    assert found["phases"]["producer"] == {"p50": None, "p95": None, "p99": None, "longest": None, "share": None}
    assert sum(phase["share"] or 0.0 for phase in found["phases"].values()) == pytest.approx(1)
    assert found["systems"] == {"not-yet-known": 3, "adobe-api": 1}
    assert found["total"]["share"] == 1

    lines = delays().out.splitlines()
    assert lines[0].startswith("4 triggers received in the last 1h (since ")
    rows = {line.split("  ")[0]: line.split() for line in lines if line and not line.startswith(" ")}
    assert rows["headers"][1:6] == ["1.000", "4.400", "4.880", "5.000", "66.7%"]
    assert "producer" not in rows, "a phase that nobody knows is left out"
    assert "Triggers by what their delay is charged to: not yet known 3, Adobe's API 1." in lines
    assert all(len(line.rstrip()) <= 80 for line in lines[1:])


def test_unfinished_and_skewed_triggers_are_named(delays: Cli, database_url: str) -> None:
    put_accepted(database_url)
    put_accepted(database_url, broker=-1.2)
    put_trigger(database_url, ago(minutes=1))
    found = read(delays("--json"))["all"]
    assert (found["triggers"], found["unfinished"], found["skewed"]) == (2, 1, 1)
    text = delays().out
    assert "1 trigger not yet at the end: among those charged" in text
    assert "Clock skew in 1 trigger:" in text


def test_campaigns_are_compared_if_there_are_several_and_one_can_be_asked_for(delays: Cli, database_url: str) -> None:
    put_accepted(database_url)
    put_accepted(database_url)
    assert "By campaign" not in delays().out
    put_accepted(database_url, campaign="flash-sale", api=9)
    found = read(delays("--json"))
    assert {name: campaign["triggers"] for name, campaign in found["campaigns"].items()} == {
        "flash-sale": 1,
        "order-shipped": 2,
    }
    lines = delays().out.splitlines()
    assert any(line.split()[:2] == ["flash-sale", "1"] and line.rstrip().endswith("headers 90.0%") for line in lines)
    one = read(delays("--campaign", "flash-sale", "--json"))
    assert one["all"]["triggers"] == 1
    assert list(one["campaigns"]) == ["flash-sale"]
    assert delays("--campaign", "flash-sale").out.startswith("1 trigger of campaign flash-sale received in the last 1h")


def test_only_triggers_received_in_the_while_count(delays: Cli, database_url: str) -> None:
    put_accepted(database_url)
    assert read(delays("--since", "1m", "--json"))["all"]["triggers"] == 0
    assert read(delays("--since", "1h30m", "--json"))["all"]["triggers"] == 1
    nothing = delays("--since", "1m")
    assert nothing.code == 0
    assert nothing.out.startswith("No trigger received in the last 1m (since ")


def test_a_duration_that_is_none_is_wrong_usage(run_cli: Cli) -> None:
    done = run_cli("delays", "--since", "1 hour")
    assert (done.code, done.out) == (2, "")
    assert "--since: must be a duration such as 30s, 15m, 1h, 2d or 1d12h" in done.err
