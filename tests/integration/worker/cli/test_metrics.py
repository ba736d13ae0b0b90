"""``ajo-dispatch metrics``: what Prometheus reads over HTTP, whatever befalls the ledger."""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from threading import Event

import asyncpg
import httpx2
import pytest
from ajo_local.child import Child
from ajo_local.ports import LOOPBACK
from ajo_local.postgres import Postgres
from ajo_local.processes import Processes
from prometheus_client.parser import text_string_to_metric_families

from tests.support.alert_rows import DESTINATION, put_known, put_many, put_outage, put_parked
from tests.support.database import query
from tests.support.dead_letters import ADDRESS, put_letter
from tests.support.ledger_rows import after, ago, put_attempt, put_trigger, put_worker
from tests.support.programs import PLAIN, PROGRAM, Finished
from tests.support.waiting import DEADLINE_SECONDS

Samples = dict[tuple[str, ...], float]
"""By the metric's name, and its labels' values in the order of the labels' names."""

Start = Callable[..., tuple[Child, str]]


@pytest.fixture
def start(processes: Processes) -> Start:
    """Starts the server on a free port; its process and URL."""

    def started(database_url: str, *arguments: str) -> tuple[Child, str]:
        env = {**PLAIN, "AJO_DATABASE_URL": database_url}
        child = processes.start("metrics", [PROGRAM, "metrics", "--port", "0", *arguments], env=env)
        return child, child.wait_for_output(r"listening on (http://\S+)", timeout=DEADLINE_SECONDS)[1]

    return started


def read(text: str) -> Samples:
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scrape(url: str) -> Samples:
    answer = httpx2.get(url, timeout=DEADLINE_SECONDS)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return read(answer.text)


@contextmanager
def locked(url: str, table: str) -> Iterator[None]:
    """Nobody can read the table meanwhile."""
    taken, gate = Event(), Event()

    async def hold() -> None:
        connection = await asyncpg.connect(url)
        try:
            async with connection.transaction():
                await connection.execute(f"lock table {table} in access exclusive mode")
                taken.set()
                await asyncio.to_thread(gate.wait)
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as thread:
        holding = thread.submit(asyncio.run, hold())
        try:
            assert taken.wait(DEADLINE_SECONDS)
            yield
        finally:
            gate.set()
        holding.result()


def test_prometheus_reads_alerts_and_figures_of_the_last_minutes(start: Start, database_url: str) -> None:
    put_known(database_url)
    worker = put_worker(database_url)
    put_worker(database_url, heartbeat_at=ago(minutes=2))
    put_worker(database_url, heartbeat_at=ago(minutes=3), stopped_at=ago(minutes=3))
    put_many(database_url, 3, queued=2)
    put_many(database_url, 5, received_at=ago(minutes=6))
    put_many(database_url, 2, state="rejected", reason="bad-request")
    put_parked(database_url, ago(), ago())
    put_outage(database_url, DESTINATION, "sustained-failures", ago(seconds=65))
    sent = ago(seconds=100)
    request_id = put_trigger(database_url, after(sent, -1), first_dispatched_at=sent)
    put_attempt(database_url, request_id, 1, sent, worker=worker, to_body_seconds=4.0, outcome="retryable")

    _, url = start(database_url)
    found = scrape(url)
    assert found["ajo_ledger_up",] == 1
    assert {value for name, value in found.items() if name[0] == "ajo_figure_read"} == {1}
    assert found["ajo_alerts", "outage-destination", "adobe-support", DESTINATION, "page"] == 1
    assert not [name for name in found if name[:2] == ("ajo_alerts", "no-worker")]
    assert found["ajo_alert_value", "no-worker", ""] < 30
    assert 100 <= found["ajo_oldest_sending_seconds",] < 160
    assert found["ajo_triggers", "order-shipped", "accepted"] == 3
    assert found["ajo_triggers", "order-shipped", "sending"] == 1
    assert found["ajo_dead_letters", "order-shipped", "bad-request", "rejected"] == 2
    assert found["ajo_parked", "order-shipped"] == 1
    assert [found["ajo_circuit_state", DESTINATION, state] for state in ("open", "held", "recovering", "closed")] == [
        1, 0, 0, 0
    ]  # fmt: skip
    assert [found["ajo_workers", status] for status in ("alive", "dead", "stopped")] == [1, 1, 1]
    assert [found["ajo_attempt_seconds", "order-shipped", quantile] for quantile in ("0.5", "0.95", "0.99")] == [4] * 3
    assert found["ajo_phase_seconds", "outage", "0.5"] == pytest.approx(2), "the outage kept what was queued back"
    assert found["ajo_phase_seconds", "total", "0.5"] == pytest.approx(4)

    put_many(database_url, 1)
    assert scrape(url)["ajo_triggers", "order-shipped", "accepted"] == 4, "each scrape asks anew"


def test_nothing_of_a_message_becomes_a_label(start: Start, database_url: str) -> None:
    put_letter(database_url, campaign=ADDRESS, reason="definition-unknown", ended_at=ago(seconds=30))
    child, url = start(database_url)
    found = scrape(url)
    assert found["ajo_dead_letters", "(unknown)", "definition-unknown", "rejected"] == 1
    assert found["ajo_triggers", "(unknown)", "rejected"] == 1
    assert found["ajo_alerts", "dead-letters", "operators", "(unknown)/definition-unknown", "ticket"] == 1
    assert found["ajo_attempt_seconds", "(unknown)", "0.5"] == 1
    assert not [name for name in found if "example.com" in "".join(name)]
    assert "example.com" not in child.output()


def test_a_ledger_that_is_away_is_a_metric_and_comes_back(start: Start, own_postgres: Postgres) -> None:
    child, url = start(own_postgres.url)
    assert scrape(url)["ajo_ledger_up",] == 1
    own_postgres.stop()
    found = scrape(url)
    assert found["ajo_ledger_up",] == 0
    assert found["ajo_figure_read", "ajo_alerts"] == 0
    assert not [name for name in found if name[0] == "ajo_alerts"]
    scrape(url)
    own_postgres.start()
    assert scrape(url)["ajo_ledger_up",] == 1
    said = child.output().splitlines()[1:]
    assert len(said) == 2, "once when it is away, and once when it is back"
    assert said[0].startswith("can't reach database 'postgres' at 127.0.0.1:")
    assert said[1] == "the ledger is read again"
    assert own_postgres.password not in child.output()


def test_a_figure_that_takes_too_long_is_missing_and_told_and_the_others_are_read(
    start: Start, database_url: str
) -> None:
    put_worker(database_url)
    child, url = start(database_url, "--timeout", "10")
    with locked(database_url, "ledger.circuits"):
        found = scrape(url)
    read_in_time = {name[1] for name, value in found.items() if name[0] == "ajo_figure_read" and value}
    assert {"ajo_alerts", "ajo_circuit_state"}.isdisjoint(read_in_time)
    assert {"ajo_workers", "ajo_parked", "ajo_triggers"} <= read_in_time
    assert found["ajo_workers", "alive"] == 1
    assert "not read in time: ajo_alerts, ajo_circuit_state" in child.output()
    assert scrape(url)["ajo_figure_read", "ajo_alerts"] == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_server_ends_with_0_when_it_is_told_to(number: signal.Signals, start: Start, database_url: str) -> None:
    child, url = start(database_url)
    scrape(url)
    child.popen.send_signal(number)
    assert child.popen.wait(DEADLINE_SECONDS) == 0
    assert len(child.output().splitlines()) == 1


def test_whoever_holds_connections_and_asks_nothing_keeps_no_scrape_from_its_answer(
    processes: Processes, database_url: str
) -> None:
    few_files = ["sh", "-c", 'ulimit -n 64; exec "$0" "$@"', str(PROGRAM), "metrics", "--port", "0"]
    child = processes.start("metrics", few_files, env={**PLAIN, "AJO_DATABASE_URL": database_url})
    url = httpx2.URL(child.wait_for_output(r"listening on (http://\S+)", timeout=DEADLINE_SECONDS)[1])
    with ExitStack() as stack:
        for _ in range(100):
            idle = stack.enter_context(socket.create_connection((url.host, url.port or 0), timeout=DEADLINE_SECONDS))
            idle.send(b"GET /metrics HTTP/1.1\r\nX: a")
        assert scrape(str(url))["ajo_ledger_up",] == 1


def test_a_port_that_is_taken_is_told(start: Start, database_url: str, run_cli: Callable[..., Finished]) -> None:
    _, url = start(database_url)
    port = httpx2.URL(url).port
    done = run_cli("metrics", "--port", str(port), env={"AJO_DATABASE_URL": database_url})
    assert (done.code, done.out) == (1, "")
    assert done.err == f"error: can't listen on {LOOPBACK}:{port}: Address already in use\n"


def test_once_prints_the_metrics_and_ends(run_cli: Callable[..., Finished], database_url: str) -> None:
    done = run_cli("metrics", "--once", env={"AJO_DATABASE_URL": database_url})
    assert (done.code, done.err) == (0, "")
    assert read(done.out)["ajo_alerts", "no-worker", "operators", "", "page"] == 1
    assert "# TYPE ajo_alerts gauge" in done.out


def test_once_fails_with_a_reason_where_the_ledger_cant_be_read(
    run_cli: Callable[..., Finished], postgres_url: str
) -> None:
    done = run_cli("metrics", "--once", env={"AJO_DATABASE_URL": postgres_url})
    assert done.code == 1
    assert read(done.out)["ajo_ledger_up",] == 0
    assert "run 'ajo-dispatch db upgrade'" in done.err


def test_wrong_usage_is_explained(run_cli: Callable[..., Finished]) -> None:
    done = run_cli("metrics", "--timeout", "0")
    assert done.code == 2
    assert "--timeout: must be above 0 and at most 60 seconds" in done.err


def test_a_figure_that_fails_over_what_is_in_the_ledger_is_missing_alone_and_told(
    start: Start, database_url: str
) -> None:
    put_worker(database_url)
    put_letter(database_url, campaign="order-shipped", reason="bad-request", ended_at=ago(seconds=30))
    broken = "return 1 / (length(of_state) - length(of_state)) = 1"
    query(database_url, f"create or replace function ledger.is_dead(of_state text) returns boolean immutable {broken}")
    child, url = start(database_url)
    found = scrape(url)
    assert found["ajo_ledger_up",] == 1
    assert found["ajo_figure_read", "ajo_dead_letters"] == 0
    assert found["ajo_workers", "alive"] == 1
    assert "ajo_dead_letters can't be read: division by zero" in child.output()
