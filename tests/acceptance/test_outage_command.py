"""``ajo-dispatch outage``: an operator sees what is kept back, keeps back, probes, and lets go on."""

import json
from collections.abc import Callable

from tests.support.conservation import accepted, finished, journal
from tests.support.database import query
from tests.support.delivery import Delivery
from tests.support.waiting import wait_until

COUNT = 300
WORKS = '[latency]\ndistribution = "constant"\nseconds = 0.02\n'
PARKED = "select count(*) as n from ledger.triggers where state = 'parked'"
STEADY = {
    "AJO_RATE_LIMIT_STANDARD": "50",
    "AJO_PROBE_INTERVAL": "60",
    "AJO_PROBE_INTERVAL_LONGEST": "60",
    "AJO_RECOVERY_RATE": "100",
}


def test_from_an_outage_back_to_normal_with_the_commands_alone(
    broker_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    delivery = prepare_delivery(broker_url, WORKS + '[[fault]]\nkind = "cosmos"\n', **STEADY)

    def outage(*arguments: str) -> str:
        done = delivery.run_cli("outage", *arguments, env=delivery.env)
        assert done.code == 0, done.err
        return done.out

    assert "No outage lasts" in outage("list")
    delivery.start_worker()
    confirmed = delivery.publish(COUNT, 10)
    wait_until(lambda: query(database_url, PARKED)[0]["n"], what="some triggers are parked")
    assert " open " in outage("list")
    wait_until(lambda: json.loads(outage("show", "standard", "--json"))["queued"], what="the others wait in the broker")
    shown = outage("show", "standard")
    for text in ("since", "parked", "in the broker", "customerManagedKeyStatus", "500"):
        assert text in shown
    assert "not checked by the system" in shown

    failed = delivery.run_cli("outage", "probe", "standard", env=delivery.env)
    assert failed.code == 1
    assert "still open" in failed.err
    calls = len(journal(delivery.api.journal))
    outage("hold", "standard", "--why", "repair under way")
    delivery.api.play(WORKS)
    refused = delivery.run_cli("outage", "probe", "standard", env=delivery.env)
    assert refused.code == 1, "what an operator holds is not probed"
    assert len(journal(delivery.api.journal)) == calls
    assert "goes on" in outage("resume", "standard", "--why", "repaired", "--operator", "olga")
    wait_until(lambda: finished(database_url) == COUNT, what="all triggers with a state")
    assert set(accepted(delivery.api.journal)) == confirmed
    done = query(database_url, "select action, operator, reason from ledger.operations order by done_at")
    assert [(row["action"], row["reason"]) for row in done] == [("hold", "repair under way"), ("resume", "repaired")]
    assert done[1]["operator"] == "olga"


def test_a_probe_that_is_accepted_ends_the_outage(
    valkey_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    delivery = prepare_delivery(valkey_url, WORKS + '[[fault]]\nkind = "cosmos"\n', **STEADY)
    delivery.start_worker()
    delivery.publish(COUNT, 10)
    wait_until(lambda: query(database_url, PARKED)[0]["n"], what="some triggers are parked")
    delivery.api.play(WORKS)
    probed = delivery.run_cli("outage", "probe", "standard", env=delivery.env)
    assert (probed.code, "202" in probed.out) == (0, True)
    wait_until(lambda: finished(database_url) == COUNT, what="all triggers with a state")


def test_a_hold_ends_by_itself_at_its_until(
    valkey_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    delivery = prepare_delivery(valkey_url, WORKS, AJO_RECOVERY_RATE="100")

    def outage(*arguments: str) -> str:
        done = delivery.run_cli("outage", *arguments, env=delivery.env)
        assert done.code == 0, done.err
        return done.out

    assert "held until 20" in outage("hold", "standard", "--why", "maintenance", "--until", "2h")
    assert "lasts until 20" in outage("list")
    delivery.start_worker()
    delivery.publish(20)
    assert not journal(delivery.api.journal)
    assert "was held already, now until 20" in outage("hold", "standard", "--why", "done sooner", "--until", "1s")
    wait_until(lambda: finished(database_url) == 20, what="all triggers with a state")
    assert "its until" in outage("show", "standard")
    over = delivery.run_cli("outage", "hold", "standard", "--why", "x", "--until", "2020-01-01", env=delivery.env)
    assert (over.code, "is over: it is 20" in over.err) == (2, True)


def test_wrong_use_says_what_there_is(prepare_delivery: Callable[..., Delivery], valkey_url: str) -> None:
    delivery = prepare_delivery(valkey_url, WORKS)
    unknown = delivery.run_cli("outage", "hold", "nothing", "--why", "x", env=delivery.env)
    assert unknown.code == 2
    assert "campaign:order-shipped" in unknown.err
    assert delivery.run_cli("outage", "hold", "standard", env=delivery.env).code == 2, "a reason is needed"
    none = delivery.run_cli("outage", "resume", "standard", "--why", "x", env=delivery.env)
    assert (none.code, "nothing kept it back" in none.out) == (1, True)
    assert delivery.run_cli("outage", "show", "standard", env=delivery.env).code == 1
