"""A worker behind an HTTP proxy: token and calls go through it, and what it does is no fault of Adobe."""

from collections.abc import Callable
from pathlib import Path

import pytest
from ajo_local.processes import Processes

from tests.support.connect_proxy import ConnectProxy
from tests.support.conservation import accepted, finished, write_definition
from tests.support.database import query
from tests.support.delivery import Delivery, worker_environment
from tests.support.programs import PROGRAM, Finished, Simulator, Worker
from tests.support.waiting import DEADLINE_SECONDS, wait_until

CALM = "[latency]\nseconds = 0.02\n"
OUTAGES = "select reason from ledger.outages"
STATES = "select distinct state, possible_duplicate from ledger.triggers"


@pytest.fixture
def behind(
    simulator: Callable[..., Simulator],
    worker: Callable[..., Worker],
    run_cli: Callable[..., Finished],
    valkey_url: str,
    database_url: str,
    queue_prefix: str,
    tmp_path: Path,
) -> Callable[..., Delivery]:
    """Prepares a delivery to a simulator over TLS."""

    def prepared(**more: str) -> Delivery:
        api = simulator(CALM, "--tls", "--ca-out", str(tmp_path / "ca.pem"))
        write_definition(tmp_path / "campaigns")
        usual = worker_environment(valkey_url, queue_prefix, api, tmp_path / "campaigns")
        own = {"AJO_DATABASE_URL": database_url, "AJO_CA_FILE": str(tmp_path / "ca.pem")}
        return Delivery(tmp_path, api, {**usual, **own, **more}, worker, run_cli)

    return prepared


@pytest.mark.parametrize("adapter", ["direct", "pyreqwest", "httpx"])
def test_token_and_calls_go_through_the_proxy_and_its_password_is_shown_nowhere(
    behind: Callable[..., Delivery], database_url: str, adapter: str
) -> None:
    with ConnectProxy() as proxy:
        delivery = behind(HTTPS_PROXY=proxy.url, AJO_HTTP_ADAPTER=adapter, AJO_LOG_LEVEL="DEBUG")
        running = delivery.start_worker()
        confirmed = delivery.publish(50, batch_size=10)
        wait_until(lambda: finished(database_url) == 50, what="50 triggers with a state")
        assert dict(accepted(delivery.api.journal)) == dict.fromkeys(confirmed, 1)
        assert {head.split(b" ")[0] for head in proxy.heads} == {b"CONNECT"}
        shown = delivery.run_cli("settings", env=delivery.env | {"AJO_PROXY": proxy.url})
        assert f"http://…@127.0.0.1:{proxy.port}" in shown.out
    assert "planted" not in running.child.output() + shown.out + shown.err


def test_a_proxy_that_is_dead_for_a_while_loses_doubles_and_charges_adobe_with_nothing(
    behind: Callable[..., Delivery], database_url: str
) -> None:
    quick = {
        "AJO_OUTAGE_FAILURES": "5",
        "AJO_OUTAGE_SECONDS": "1",
        "AJO_PROBE_INTERVAL": "0.5",
        "AJO_LOG_LEVEL": "DEBUG",
    }
    with ConnectProxy() as proxy:
        delivery = behind(AJO_PROXY=proxy.url, **quick)
        running = delivery.start_worker()
        confirmed = delivery.publish(20, batch_size=10)
        wait_until(lambda: finished(database_url) == 20, what="20 triggers with a state")
    confirmed |= delivery.publish(50, batch_size=10)
    wait_until(lambda: query(database_url, OUTAGES), what="an outage is on record")
    assert {row["reason"] for row in query(database_url, OUTAGES)} == {"proxy-failing"}
    assert "AJO_PROXY" in delivery.run_cli("outage", "show", "1", env=delivery.env).out
    with ConnectProxy(port=proxy.port):
        wait_until(lambda: finished(database_url) == 70, what="all triggers with a state")
    assert dict(accepted(delivery.api.journal)) == dict.fromkeys(confirmed, 1)
    assert query(database_url, STATES) == [{"state": "accepted", "possible_duplicate": False}]
    charged = {row["system"] for row in query(database_url, "select system from audit.delays where delay_seconds > 0")}
    assert charged == {"worker"}
    assert "planted" not in running.child.output()


def test_a_worker_with_an_unusable_proxy_doesnt_start(behind: Callable[..., Delivery], processes: Processes) -> None:
    delivery = behind(HTTPS_PROXY="socks5://us:planted@proxy.example.com")
    child = processes.start("worker", [PROGRAM, "worker"], env=delivery.env)
    assert child.popen.wait(DEADLINE_SECONDS) == 2
    assert "HTTPS_PROXY: must be http://" in child.output()
    assert "planted" not in child.output()
