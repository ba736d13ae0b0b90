"""``ajo-dispatch network``: where the time goes, the network or the API; and what Prometheus is told of it."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from ajo_worker.metrics.scrape import scrape, told

from tests.support.conservation import write_definition
from tests.support.database import query
from tests.support.delivery import Delivery
from tests.support.ledger_rows import after, ago, put_attempt, put_trigger
from tests.support.programs import Finished, Simulator
from tests.support.waiting import wait_until

API, TOKEN = "platform.adobe.io:443", "ims-na1.adobelogin.com:443"
PROBE = """
    insert into ledger.network_probes (worker, probed_at, endpoint, address, dns_seconds, connect_seconds, tls_seconds,
                                       first_byte_seconds, http_status, failure, campaigns)
    values (gen_random_uuid(), $1, $2, '192.0.2.1', $3, $4, $5, $6, 200, $7, $8)
"""
SLOW_API = '[latency]\ndistribution = "constant"\nseconds = 0.3\n'

Network = Callable[..., Finished]


def put_probe(
    url: str, at: datetime, connect: float | None, endpoint: str = API, *, failure: str | None = None
) -> None:
    campaigns = ["order-shipped"] if endpoint == API else []
    reached = None if connect is None else 0.03
    query(url, PROBE, at, endpoint, 0.01, connect, reached, reached, failure, campaigns)


def put_call(url: str, to_headers: float, campaign: str = "order-shipped") -> None:
    sent = ago(minutes=5)
    request_id = put_trigger(url, after(sent, -1), campaign=campaign)
    put_attempt(url, request_id, 1, sent, to_headers_seconds=to_headers)


@pytest.fixture
def network(run_cli: Callable[..., Finished], database_url: str) -> Network:
    return lambda *arguments: run_cli("network", *arguments, env={"AJO_DATABASE_URL": database_url})


def test_the_network_is_told_from_the_api(network: Network, database_url: str) -> None:
    for number in range(4):
        put_probe(database_url, ago(minutes=number + 1), 0.02)
    put_probe(database_url, ago(minutes=5), 0.08)
    put_probe(database_url, ago(hours=2), 5.0)
    put_probe(database_url, ago(minutes=1), 0.01, TOKEN)
    for seconds in (0.2, 0.2, 0.4):
        put_call(database_url, seconds)
    put_call(database_url, 9.0, campaign="of-another-host")

    done = network("--json")
    assert (done.code, done.err) == (0, "")
    ways: dict[str, Any] = {one["way"]["endpoint"]: one for one in json.loads(done.out)}
    way = ways[API]["way"]
    assert (way["probes"], way["failed"], way["last_address"]) == (5, 0, "192.0.2.1")
    assert (way["steps"]["connect"]["p50"], way["steps"]["connect"]["longest"]) == (0.02, 0.08)
    assert (way["api"]["p50"], way["api"]["longest"]) == (0.2, 0.4)
    assert ways[API]["sentence"] == (
        f"{API}: the network took 0.020 s of 0.200 s (10.0%); a fresh connection costs 0.060 s."
    )
    assert ways[TOKEN]["way"]["api"] is None
    assert ways[TOKEN]["sentence"] == f"{TOKEN}: one round trip took 0.010 s; a fresh connection costs 0.050 s."

    text = network().out
    assert ways[API]["sentence"] in text
    rows = [line.split() for line in text.splitlines()]
    assert ["connect", "0.020", "0.068", "0.080"] in rows
    assert [API, "DNS", "0.010", "0.010", "0.010", "5", "0"] in rows


def test_failures_are_told_with_the_newest_reason(network: Network, database_url: str) -> None:
    put_probe(database_url, ago(minutes=3), None, failure="connect: no answer")
    put_probe(database_url, ago(minutes=2), None, failure="connect: Connection refused")
    [one] = json.loads(network("--json").out)
    assert one["sentence"] == (
        f"{API}: 2 of 2 probes failed, at last with connect: Connection refused; no connection stood."
    )
    assert (one["way"]["steps"]["connect"], one["way"]["steps"]["dns"]["p50"]) == (None, 0.01)


def test_without_a_probe_it_is_said_why_there_may_be_none(network: Network) -> None:
    done = network("--since", "5m")
    assert done.code == 0
    assert "No worker probed the network in the last 5m" in done.out
    assert json.loads(network("--json").out) == []


@pytest.fixture
def here(run_cli: Callable[..., Finished], tmp_path: Path) -> Network:
    """Runs the command where no ledger is."""
    write_definition(tmp_path / "campaigns")
    env = {"AJO_CAMPAIGNS": str(tmp_path / "campaigns"), "AJO_DATABASE_URL": "postgresql://127.0.0.1:1/none"}

    def run(url: str, token_url: str, *arguments: str, **more: str) -> Finished:
        urls = {"AJO_BASE_URL": url, "AJO_TOKEN_URL": token_url}
        return run_cli("network", "--now", *arguments, env={**env, **urls, **more})

    return run


def test_now_probes_from_here_and_needs_no_ledger(
    here: Network, simulator: Callable[..., Simulator], tmp_path: Path
) -> None:
    authority = tmp_path / "ca.pem"
    api, other = simulator(None, "--tls", "--ca-out", str(authority)), simulator()
    done = here(api.url, other.token_url, "--json", AJO_CA_FILE=str(authority))
    assert (done.code, done.err) == (0, "")
    first, second = json.loads(done.out)
    assert (first["endpoint"], first["http_status"], first["failure"]) == (api.url[8:], 200, None)
    assert list(first["seconds"]) == ["dns", "connect", "tls", "first_byte"]
    assert datetime.fromisoformat(first["certificate_expires_at"]) > ago()
    assert (second["endpoint"], second["http_status"]) == (other.url[7:], 404), "its root is no token"
    assert list(second["seconds"]) == ["dns", "connect", "first_byte"]
    assert "/ims/token/v3" not in other.journal.read_text(encoding="utf-8")


def test_now_fails_if_a_way_is_not_open(
    here: Network, simulator: Callable[..., Simulator], unused_tcp_port: int
) -> None:
    api = simulator()
    done = here(api.url, f"http://127.0.0.1:{unused_tcp_port}/token")
    assert (done.code, done.err) == (1, "")
    assert "connect: Connection refused" in done.out


def test_now_with_authorities_that_cannot_be_read_is_wrong_usage(here: Network, tmp_path: Path) -> None:
    done = here("http://127.0.0.1:1", "http://127.0.0.1:1/token", AJO_CA_FILE=str(tmp_path / "none.pem"))
    assert done.code == 2
    assert "none.pem: No such file or directory" in done.err


def test_prometheus_is_told_the_newest_probe_of_each_endpoint(database_url: str) -> None:
    put_probe(database_url, ago(minutes=2), 0.5)
    put_probe(database_url, ago(minutes=1), 0.02)
    put_probe(database_url, ago(minutes=1), None, TOKEN, failure="connect: no answer")
    put_probe(database_url, ago(hours=2), 0.02, "long-gone.example.com:443")
    found = asyncio.run(scrape(database_url, 30))
    samples = {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in told(found)
        for sample in family.samples
        if sample.name.startswith("ajo_network")
    }
    assert samples == {
        ("ajo_network_failed", API): 0,
        ("ajo_network_failed", TOKEN): 1,
        ("ajo_network_seconds", API, "dns"): 0.01,
        ("ajo_network_seconds", API, "connect"): 0.02,
        ("ajo_network_seconds", API, "tls"): 0.03,
        ("ajo_network_seconds", API, "first_byte"): 0.03,
        ("ajo_network_seconds", TOKEN, "dns"): 0.01,
    }


def test_auditors_see_the_way_by_5_minutes(database_url: str) -> None:
    begin = datetime.fromisoformat("2026-06-01T10:05:00+00:00")
    for seconds, connect in ((0, 0.1), (150, 0.2), (299, 0.3)):
        put_probe(database_url, after(begin, seconds), connect)
    put_probe(database_url, after(begin, 300), None, failure="connect: no answer")
    first, second = query(database_url, "select * from audit.network order by since")
    assert (first["since"], first["probes"], first["failed"]) == (begin, 3, 0)
    assert [round(first[f"connect_{name}"], 6) for name in ("median", "p95", "max")] == [0.2, 0.29, 0.3]
    assert (second["probes"], second["failed"], second["connect_median"], second["dns_max"]) == (1, 1, None, 0.01)


def test_a_worker_s_probes_tell_that_the_api_is_slow_and_the_network_is_not(
    valkey_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    delivery = prepare_delivery(valkey_url, SLOW_API, AJO_NETWORK_PROBE_SECONDS="0.2")
    delivery.start_worker()
    delivery.publish(20)

    def told_by_now() -> Any:
        found = json.loads(delivery.run_cli("network", "--json", env=delivery.env).out)
        return found if found and found[0]["way"]["api"] else None

    [one] = wait_until(told_by_now, what="probes and attempts")
    assert one["way"]["failed"] == 0
    assert one["way"]["api"]["p50"] > one["way"]["steps"]["connect"]["p50"]
    assert "the network took" in one["sentence"]
