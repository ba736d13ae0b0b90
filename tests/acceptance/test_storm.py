"""A storm of 429s and the backlog behind it show in every command that an operator or an auditor would look at."""

import json
from collections.abc import Callable

from tests.support.database import query
from tests.support.delivery import Delivery
from tests.support.waiting import wait_until

STORM = '[latency]\ndistribution = "constant"\nseconds = 0.02\n[limits]\ncalls_per_second = 4\nretry_after = 1\n'
COUNT, PREFETCH = 250, 40
SLOWED = "select * from audit.rates where cause = 'throttle' and share < 1 and waiting > 0"
WAITED = "select * from audit.backlogs where messages > 0"


def test_a_storm_of_429s_shows_with_what_it_keeps_waiting(
    broker_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    delivery = prepare_delivery(broker_url, STORM, AJO_RATE_LIMIT_STANDARD="100", AJO_PREFETCH=str(PREFETCH))

    def run(*arguments: str) -> str:
        done = delivery.run_cli(*arguments, env=delivery.env)
        assert done.code == 0, done.err
        return done.out

    delivery.publish(COUNT, 1)
    before = json.loads(run("status", "--json"))["backlog"]
    queue = f"{delivery.env['AJO_QUEUE_PREFIX']}.standard"
    assert {one["queue"]: one["messages"] for one in before["queues"]}[queue] == COUNT, "the broker itself was asked"
    delivery.start_worker()
    (rate, *_), (backlog, *_) = wait_until(
        lambda: query(database_url, SLOWED) and (query(database_url, SLOWED), query(database_url, WAITED)),
        what="a slowed rate on record, and a backlog",
    )
    assert (rate["campaign"], rate["lane"], rate["rate_limit"]) == ("order-shipped", "standard", 100)
    assert 0 < rate["waiting"] <= PREFETCH
    assert (backlog["queue"], backlog["lane"]) == (queue, "standard")

    for command in (("status",), ("outage", "list"), ("top", "--once")):
        shown = run(*command)
        (line,) = [line for line in shown.splitlines() if "Adobe answers 429" in line]
        assert "of 100 calls/s" in line
        assert any(line.startswith(f"{queue} ") and "messages" in line for line in shown.splitlines()), shown
        assert any(line.startswith("order-shipped (standard) ") for line in shown.splitlines()), shown
    found = json.loads(run("outage", "list", "--json"))["backlog"]
    assert found["slow_rates"][0]["cause"] == "throttle"
    metrics = run("metrics", "--once")
    assert f'ajo_queue_messages{{lane="standard",place="broker",queue="{queue}"}}' in metrics
    assert 'ajo_slowed_seconds{campaign="order-shipped",cause="throttle",' in metrics
