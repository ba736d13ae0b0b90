"""Without a token nothing is burnt and nothing is lost: what waits, waits for the token, and goes on by itself."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.support.alert_rows import alerts
from tests.support.conservation import accepted, finished, ledger
from tests.support.database import query
from tests.support.delivery import SECRET, Delivery, worker_environment
from tests.support.programs import Simulator
from tests.support.waiting import wait_until

BEFORE, COUNT = 10, 300
BUDGET = 4
WORKS = '[latency]\ndistribution = "constant"\nseconds = 0.05\n'
REFUSED_ONCE = '[[fault]]\nattempts = 1\nkind = "token-expired"\n'
AWAY = "[token]\nfail_status = 503\n"
QUICK = {
    "AJO_RATE_LIMIT_STANDARD": "100",
    "AJO_PREFETCH": "5",
    "AJO_BUDGET_SECONDS": str(BUDGET),
    "AJO_ATTEMPT_TIMEOUT": str(BUDGET),
    "AJO_ATTEMPT_MINIMUM": "1",
    "AJO_OUTAGE_SECONDS": "1",
}
COUNTS = "select state, count(*) as n from ledger.triggers group by state"
TOKEN = "select * from ledger.outages where scope like 'token:%'"
DELAYED = "select * from audit.delays where total_seconds > $1 and not request_id::text = any ($2::text[])"
LONG_OPEN = "select 1 from ledger.outages where scope like 'token:%' and opened_at < clock_timestamp() - $1::interval"


def counts(url: str) -> dict[str, int]:
    return {row["state"]: row["n"] for row in query(url, COUNTS)}


def test_while_the_token_endpoint_is_away_nothing_is_burnt_and_afterwards_all_goes_on_by_itself(
    broker_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    """Away for longer than a budget, with a token that has just been refused: so in hand is what needs a new one."""
    delivery = prepare_delivery(broker_url, WORKS, **QUICK)
    for _ in range(2):
        delivery.start_worker()
    before = delivery.publish(BEFORE, 1)
    wait_until(lambda: finished(database_url) == BEFORE, what="there was a token, and it served")
    delivery.api.play(WORKS + REFUSED_ONCE + AWAY)
    confirmed = before | delivery.publish(COUNT - BEFORE, 10)
    wait_until(lambda: query(database_url, TOKEN), what="the outage is on record")
    wait_until(lambda: not counts(database_url).get("sending"), what="nothing is in hand any more")
    wait_until(lambda: ("outage-token", scope(database_url)) in alerts(database_url), what="the alert")
    budgets = timedelta(seconds=2 * BUDGET)
    wait_until(lambda: query(database_url, LONG_OPEN, budgets), what="two budgets have passed")

    found = counts(database_url)
    assert found.keys() == {"accepted", "parked"}, "nothing expired, nothing was given up"
    assert sum(found.values()) < COUNT, "and first attempts wait in the broker"
    told = {name for name, _ in alerts(database_url)}
    assert "outage-token" in told
    assert told.isdisjoint({"token-failing", "token-refused"}), "one page for one cause"
    delivery.api.play(WORKS)
    wait_until(lambda: finished(database_url) == COUNT, what="all triggers with a state", timeout=60)

    rows, times = ledger(database_url), accepted(delivery.api.journal)
    assert set(rows) == confirmed == set(times)
    assert {row["state"] for row in rows.values()} == {"accepted"}
    assert set(times.values()) == {1}
    wait_until(lambda: query(database_url, TOKEN)[0]["ended_at"], what="the end of the outage is on record")
    (outage,) = query(database_url, TOKEN)
    assert (outage["reason"], outage["recovered_at"]) == ("token-unavailable", outage["ended_at"])
    assert outage["evidence"] == json.dumps({"failure": "token endpoint: status 503, temporarily_unavailable"})
    delayed = query(database_url, DELAYED, float(BUDGET), list(before))
    assert len(delayed) > BEFORE
    assert [row for row in delayed if row["system"] != "adobe-api" or "outage" not in row["late_phases"]] == []


def test_a_worker_whose_secret_is_the_old_one_keeps_itself_back_and_nobody_else(
    valkey_url: str,
    database_url: str,
    queue_prefix: str,
    prepare_delivery: Callable[..., Delivery],
    simulator: Callable[..., Simulator],
) -> None:
    delivery = prepare_delivery(valkey_url, WORKS, **QUICK)
    strict = simulator(WORKS, "--client-secret", SECRET)
    delivery.env |= worker_environment(valkey_url, queue_prefix, strict, delivery.campaigns) | QUICK
    old = delivery.start(delivery.env | {"AJO_CLIENT_SECRET": "the-old-one"})
    delivery.publish(5, 1)
    wait_until(lambda: query(database_url, TOKEN), what="the outage is on record")
    assert query(database_url, TOKEN)[0]["reason"] == "credentials-refused"
    assert finished(database_url) == 0
    assert not counts(database_url), "what can't be sent goes back to the broker"

    delivery.start_worker()
    delivery.publish(100, 10)
    wait_until(lambda: finished(database_url) == 105, what="the other worker sends everything")
    assert query(database_url, TOKEN)[0]["ended_at"] is None, "as long as a worker fails, somebody is to look at it"
    (alert,) = [found for (name, _), found in alerts(database_url).items() if name.startswith("outage")]
    assert (alert["audience"], "invalid_client" in alert["summary"]) == ("credentials", True)
    old.child.stop()
    wait_until(lambda: query(database_url, TOKEN)[0]["ended_at"], what="the outage ends with the last that failed")


def test_an_operator_sees_the_token_endpoint_asks_it_holds_it_and_lets_it_go(
    valkey_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    delivery = prepare_delivery(valkey_url, WORKS + AWAY, **QUICK)

    def outage(*arguments: str, code: int = 0) -> str:
        done = delivery.run_cli("outage", *arguments, env=delivery.env)
        assert done.code == code, done.err
        return str(done.out + done.err)

    delivery.start_worker()
    delivery.publish(20, 1)
    wait_until(lambda: query(database_url, TOKEN), what="the outage is on record")
    host = scope(database_url)
    assert f"{host}" in outage("list")
    shown = outage("show", "token")
    for text in (host, "token-unavailable", "without a token", "status 503", "status.adobe.com", "outage probe token:"):
        assert text in shown
    wait_until(lambda: json.loads(outage("show", host, "--json"))["queued"] == 20, what="all messages wait")
    assert "status 503" in outage("probe", "token", code=1)
    assert "by themselves" in outage("resume", "token", "--why", "x", code=1)

    outage("hold", "token", "--why", "the secret is being rotated")
    delivery.api.play(WORKS)
    assert "fetched in" in outage("probe", "token")
    wait_until(
        lambda: not query(database_url, "select 1 from ledger.workers where token_failed_at is not null"),
        what="it has a token",
    )
    assert finished(database_url) == 0, "what is held is not sent, token or not"
    outage("resume", host, "--why", "rotated")
    wait_until(lambda: finished(database_url) == 20, what="all triggers with a state")
    circuit: dict[str, Any] = query(database_url, "select state from ledger.circuits where scope = $1", host)[0]
    assert circuit["state"] == "closed"


def scope(url: str) -> str:
    """The token endpoint's scope."""
    return str(query(url, TOKEN)[0]["scope"])
