"""A killed worker loses nothing, and what it may have doubled is marked."""

from collections.abc import Callable
from pathlib import Path

from tests.acceptance.test_delivery import SCENARIO, publish, worker_environment, write_triggers
from tests.support.conservation import TOO_LATE, accepted, finished, journal, ledger, unfinished, write_definition
from tests.support.database import query
from tests.support.programs import Finished, Simulator, Worker
from tests.support.waiting import wait_until

COUNT = 3_000


def test_after_kill_9_and_a_new_start_every_trigger_is_accepted_and_each_double_is_marked(
    broker_url: str,
    database_url: str,
    queue_prefix: str,
    tmp_path: Path,
    simulator: Callable[..., Simulator],
    worker: Callable[..., Worker],
    run_cli: Callable[..., Finished],
) -> None:
    write_definition(tmp_path / "campaigns")
    api = simulator(SCENARIO.replace("median = 0.02", "median = 0.2").replace("p99 = 0.2", "p99 = 1.0"))
    env = {**worker_environment(broker_url, api, tmp_path / "campaigns"), "AJO_MAX_IN_FLIGHT": "200"}
    first = worker(env)
    publishing = {**env, "AJO_QUEUE_PREFIX": queue_prefix}
    confirmed = publish(run_cli, write_triggers(tmp_path / "t.jsonl", COUNT), publishing, "--batch-size", "20")
    wait_until(lambda: finished(database_url) > COUNT // 10, what="a tenth of the triggers done")
    first.child.kill()
    in_flight = unfinished(database_url)
    assert in_flight, "the worker was killed in the middle"
    worker(env)
    wait_until(lambda: finished(database_url) == COUNT, what="all triggers with a state", timeout=120)

    rows, counted = ledger(database_url), accepted(api.journal)
    assert set(rows) == confirmed == set(counted)
    assert {row["state"] for row in rows.values()} == {"accepted"}
    marked = {request_id for request_id, row in rows.items() if row["possible_duplicate"]}
    doubled = {request_id for request_id, times in counted.items() if times > 1}
    assert doubled, "a killed worker leaves calls that were accepted without its knowing"
    assert doubled <= marked
    crashed = [request_id for request_id in marked if "worker-crash" in rows[request_id]["duplicate_causes"]]
    assert len(crashed) <= in_flight
    assert all(rows[request_id]["duplicate_causes"] for request_id in marked)
    assert not query(database_url, TOO_LATE, 60.0)
    calls = {(call["request_id"]) for call in journal(api.journal)}
    assert calls == confirmed


def test_sigterm_finishes_what_is_in_flight_gives_back_the_rest_and_doubles_nothing(
    broker_url: str,
    database_url: str,
    queue_prefix: str,
    tmp_path: Path,
    simulator: Callable[..., Simulator],
    worker: Callable[..., Worker],
    run_cli: Callable[..., Finished],
) -> None:
    write_definition(tmp_path / "campaigns")
    api = simulator('[latency]\ndistribution = "uniform"\nlow = 0.2\nhigh = 0.6\n')
    env = {**worker_environment(broker_url, api, tmp_path / "campaigns"), "AJO_MAX_IN_FLIGHT": "200"}
    first = worker(env)
    publishing = {**env, "AJO_QUEUE_PREFIX": queue_prefix}
    confirmed = publish(run_cli, write_triggers(tmp_path / "t.jsonl", COUNT), publishing, "--batch-size", "20")
    wait_until(lambda: finished(database_url) > COUNT // 10, what="a tenth of the triggers done")
    assert first.child.stop() == 0
    assert finished(database_url) < COUNT, "the worker was stopped in the middle"
    assert len(accepted(api.journal)) == sum(row["state"] == "accepted" for row in ledger(database_url).values())
    worker(env)
    wait_until(lambda: finished(database_url) == COUNT, what="all triggers with a state", timeout=120)

    rows, counted = ledger(database_url), accepted(api.journal)
    assert set(rows) == confirmed == set(counted)
    assert not [request_id for request_id, times in counted.items() if times > 1]
    assert not [request_id for request_id, row in rows.items() if row["possible_duplicate"]]
